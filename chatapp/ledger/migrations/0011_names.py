"""Names of the models and their columns for people: no statement is run."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_language"),
        ("ledger", "0010_years"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="budget",
            options={
                "ordering": ["scope", "pk"],
                "permissions": [("manage_budgets", "Can set budgets")],
                "verbose_name": "budget",
                "verbose_name_plural": "budgets",
            },
        ),
        migrations.AlterModelOptions(
            name="charge",
            options={
                "ordering": ["-authorized_at", "-id"],
                "permissions": [("view_spend", "Can see what everyone spends")],
                "verbose_name": "charge",
                "verbose_name_plural": "charges",
            },
        ),
        migrations.AlterModelOptions(
            name="unknowncounter",
            options={
                "ordering": ["name"],
                "verbose_name": "unknown counter",
                "verbose_name_plural": "unknown counters",
            },
        ),
        migrations.AlterField(
            model_name="budget",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
        ),
        migrations.AlterField(
            model_name="budget",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="hard",
            field=models.BooleanField(
                default=True,
                help_text="Refuse what does not fit. Otherwise only the marks are shown.",
                verbose_name="hard",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="period",
            field=models.CharField(
                choices=[("day", "Day"), ("week", "Week"), ("month", "Month")],
                default="month",
                max_length=10,
                verbose_name="period",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="budgets",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="scope",
            field=models.CharField(
                choices=[("person", "Person"), ("team", "Team"), ("everyone", "Everyone")],
                max_length=10,
                verbose_name="scope",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="budgets",
                to="accounts.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="authorized_at",
            field=models.DateTimeField(verbose_name="authorized at"),
        ),
        migrations.AlterField(
            model_name="charge",
            name="flags",
            field=models.JSONField(default=list, verbose_name="flags"),
        ),
        migrations.AlterField(
            model_name="charge",
            name="model",
            field=models.CharField(
                help_text="as asked for, then as served; the price book's id when it has one",
                max_length=100,
                verbose_name="model",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="purpose",
            field=models.CharField(
                choices=[("chat", "Chat"), ("title", "Title"), ("summary", "Summary")],
                max_length=10,
                verbose_name="purpose",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="source",
            field=models.CharField(
                choices=[("anthropic", "Anthropic"), ("demo", "demonstration")],
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="state",
            field=models.CharField(
                choices=[
                    ("authorized", "Authorized"),
                    ("captured", "Captured"),
                    ("voided", "Voided"),
                ],
                default="authorized",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="status",
            field=models.CharField(
                blank=True,
                choices=[
                    ("exact", "Exact"),
                    ("estimated", "Estimated"),
                    ("unpriced", "unpriced (usage known, price not)"),
                    ("unknown", "unknown (usage not known)"),
                ],
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AlterField(
            model_name="unknowncounter",
            name="charge",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.charge",
                verbose_name="charge",
            ),
        ),
        migrations.AlterField(
            model_name="unknowncounter",
            name="first_seen_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="first seen at"),
        ),
        migrations.AlterField(
            model_name="unknowncounter",
            name="harmless",
            field=models.BooleanField(
                default=False,
                help_text="Looked at: it costs nothing, or is billed elsewhere.",
                verbose_name="harmless",
            ),
        ),
        migrations.AlterField(
            model_name="unknowncounter",
            name="name",
            field=models.CharField(
                editable=False, max_length=200, unique=True, verbose_name="name"
            ),
        ),
    ]
