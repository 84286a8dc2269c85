"""A body with several messages is kept once: with the first of them; the others say how far back that stands."""

from django.db import migrations, models

ADD = "ALTER TABLE signals_message ADD COLUMN raw_back smallint NOT NULL DEFAULT 0"
DROP = "ALTER TABLE signals_message DROP COLUMN raw_back"


class Migration(migrations.Migration):
    dependencies = [("signals", "0002_log")]
    operations = [
        migrations.RunSQL(ADD, DROP),
        migrations.AddField("message", "raw_back", models.SmallIntegerField("原文在前几条", default=0)),
    ]
