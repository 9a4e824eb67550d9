from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("chat", "0007_project_max_tokens")]

    operations = [
        migrations.AddField(
            model_name="generation",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]
