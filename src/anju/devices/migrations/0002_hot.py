"""Room in every page of the hot table, so that updates stay in place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("devices", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE devices_vitals SET (fillfactor = 70)", "ALTER TABLE devices_vitals RESET (fillfactor)"),
    ]
