"""Finds the rollups of one model without passing over those of all others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_coarser_rollups")]
    operations = [
        migrations.AddIndex(
            model_name="rollup",
            index=models.Index(fields=["grain", "model", "day"], name="rollup_by_model"),
        )
    ]
