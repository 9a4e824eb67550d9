"""Names of a charge's columns for people: no statement is run."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_names_for_people'),
        ('ledger', '0011_names'),
    ]

    operations = [
        migrations.AlterField(
            model_name='charge',
            name='amount_pusd',
            field=models.BigIntegerField(null=True, verbose_name='amount, pico-USD'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='attempt',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='attempt'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='certainty',
            field=models.CharField(blank=True, choices=[('exact', 'exact'), ('estimated', 'estimated'), ('unknown', 'unknown')], max_length=10, verbose_name='certainty'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='conversation',
            field=models.UUIDField(null=True, verbose_name='conversation'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='day',
            field=models.DateField(help_text='in the business time zone', verbose_name='day'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='duration_ms',
            field=models.PositiveIntegerField(null=True, verbose_name='duration, ms'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='error',
            field=models.CharField(blank=True, help_text='why it ended otherwise', max_length=60, verbose_name='error'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='estimated_output',
            field=models.BigIntegerField(null=True, verbose_name='output estimated, tokens'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='first_token_ms',
            field=models.PositiveIntegerField(null=True, verbose_name='first token, ms'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='held_pusd',
            field=models.BigIntegerField(help_text='the worst case; what an open charge holds', verbose_name='held, pico-USD'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='high_pusd',
            field=models.BigIntegerField(help_text='of an estimated charge', null=True, verbose_name='at most, pico-USD'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='http_status',
            field=models.PositiveSmallIntegerField(null=True, verbose_name='HTTP status'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='inference_geo',
            field=models.CharField(blank=True, max_length=20, verbose_name='region'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='low_pusd',
            field=models.BigIntegerField(help_text='of an estimated charge', null=True, verbose_name='at least, pico-USD'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='max_tokens',
            field=models.PositiveIntegerField(verbose_name='longest reply, tokens'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='message_id',
            field=models.CharField(blank=True, max_length=100, verbose_name='message'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='project',
            field=models.UUIDField(null=True, verbose_name='project'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='reference',
            field=models.UUIDField(help_text='the reply it was for', verbose_name='reply'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='reported_output',
            field=models.BigIntegerField(default=0, verbose_name='output reported, tokens'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='request_id',
            field=models.CharField(blank=True, max_length=100, verbose_name='request'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='requested_model',
            field=models.CharField(max_length=100, verbose_name='model asked for'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='response',
            field=models.JSONField(help_text='how it ended, as the API reported it', null=True, verbose_name='response'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='served_model',
            field=models.CharField(blank=True, help_text='as the API named it', max_length=100, verbose_name='model served'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='service_tier',
            field=models.CharField(blank=True, max_length=20, verbose_name='service tier'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='settled_at',
            field=models.DateTimeField(null=True, verbose_name='settled at'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='speed',
            field=models.CharField(blank=True, help_text='as asked for, then as served', max_length=20, verbose_name='speed'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='started_at',
            field=models.DateTimeField(help_text='the first sign of an answer', null=True, verbose_name='began to answer at'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='stop_reason',
            field=models.CharField(blank=True, max_length=40, verbose_name='why it ended'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='team',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='accounts.team', verbose_name='team'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='tokens_in',
            field=models.BigIntegerField(help_text='the whole prompt, cache included', null=True, verbose_name='tokens in'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='tokens_out',
            field=models.BigIntegerField(null=True, verbose_name='tokens out'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='usage',
            field=models.JSONField(help_text='raw, as the API reported it', null=True, verbose_name='usage'),
        ),
        migrations.AlterField(
            model_name='charge',
            name='uuid',
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='number of the call'),
        ),
    ]
