"""Names of the models and their columns for people: no statement is run."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0002_counter_price"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="counterprice",
            options={
                "ordering": ["counter", "-valid_from", "-recorded_at"],
                "verbose_name": "counter price",
                "verbose_name_plural": "counter prices",
            },
        ),
        migrations.AlterModelOptions(
            name="model",
            options={
                "ordering": ["-launched", "name"],
                "verbose_name": "model",
                "verbose_name_plural": "models",
            },
        ),
        migrations.AlterModelOptions(
            name="priceversion",
            options={
                "ordering": ["model", "speed", "-valid_from", "-recorded_at"],
                "verbose_name": "price version",
                "verbose_name_plural": "price versions",
            },
        ),
        migrations.AlterField(
            model_name="counterprice",
            name="counter",
            field=models.CharField(
                help_text="As the usage names it, place and all.",
                max_length=200,
                verbose_name="counter",
            ),
        ),
        migrations.AlterField(
            model_name="counterprice",
            name="reason",
            field=models.CharField(max_length=300, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="model",
            name="aliases",
            field=models.JSONField(blank=True, default=list, verbose_name="aliases"),
        ),
        migrations.AlterField(
            model_name="model",
            name="context_window",
            field=models.PositiveIntegerField(help_text="tokens", verbose_name="context window"),
        ),
        migrations.AlterField(
            model_name="model",
            name="deprecated",
            field=models.DateField(blank=True, null=True, verbose_name="deprecated"),
        ),
        migrations.AlterField(
            model_name="model",
            name="launched",
            field=models.DateField(verbose_name="launched"),
        ),
        migrations.AlterField(
            model_name="model",
            name="max_output",
            field=models.PositiveIntegerField(help_text="tokens", verbose_name="max output"),
        ),
        migrations.AlterField(
            model_name="model",
            name="name",
            field=models.CharField(max_length=100, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="model",
            name="note",
            field=models.CharField(blank=True, max_length=200, verbose_name="note"),
        ),
        migrations.AlterField(
            model_name="model",
            name="offered",
            field=models.BooleanField(
                default=True,
                help_text="People may pick it in the chat page.",
                verbose_name="offered",
            ),
        ),
        migrations.AlterField(
            model_name="model",
            name="retires",
            field=models.CharField(blank=True, max_length=20, verbose_name="retires"),
        ),
        migrations.AlterField(
            model_name="pricetier",
            name="cache_read",
            field=models.BigIntegerField(
                validators=[django.core.validators.MinValueValidator(0)], verbose_name="cache read"
            ),
        ),
        migrations.AlterField(
            model_name="pricetier",
            name="cache_write_1h",
            field=models.BigIntegerField(
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="cache write, 1 h",
            ),
        ),
        migrations.AlterField(
            model_name="pricetier",
            name="cache_write_5m",
            field=models.BigIntegerField(
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="cache write, 5 min",
            ),
        ),
        migrations.AlterField(
            model_name="pricetier",
            name="input",
            field=models.BigIntegerField(
                validators=[django.core.validators.MinValueValidator(0)], verbose_name="input"
            ),
        ),
        migrations.AlterField(
            model_name="pricetier",
            name="output",
            field=models.BigIntegerField(
                validators=[django.core.validators.MinValueValidator(0)], verbose_name="output"
            ),
        ),
        migrations.AlterField(
            model_name="pricetier",
            name="over",
            field=models.PositiveIntegerField(
                default=0,
                help_text="prompt tokens, strictly more than",
                verbose_name="prompt over, tokens",
            ),
        ),
        migrations.AlterField(
            model_name="priceversion",
            name="available",
            field=models.BooleanField(
                default=True, help_text="Off: not on sale from then on.", verbose_name="available"
            ),
        ),
        migrations.AlterField(
            model_name="priceversion",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="pricing.model",
                verbose_name="model",
            ),
        ),
        migrations.AlterField(
            model_name="priceversion",
            name="reason",
            field=models.CharField(blank=True, max_length=300, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="priceversion",
            name="source",
            field=models.CharField(blank=True, max_length=300, verbose_name="source"),
        ),
        migrations.AlterField(
            model_name="priceversion",
            name="speed",
            field=models.CharField(
                choices=[("standard", "Standard"), ("fast", "Fast")],
                default="standard",
                max_length=10,
                verbose_name="speed",
            ),
        ),
        migrations.AlterField(
            model_name="priceversion",
            name="valid_from",
            field=models.DateTimeField(db_index=True, help_text="UTC", verbose_name="valid from"),
        ),
    ]
