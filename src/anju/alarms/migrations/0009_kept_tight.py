"""A home's row became narrow: less room in each page suffices for updates in place; and both tables are tidied often, so that
they stay as small as their rows.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("alarms", "0008_ears")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE alarms_homewatch SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02)",
            "ALTER TABLE alarms_homewatch SET (fillfactor = 70)",
        ),
        migrations.RunSQL(
            "ALTER TABLE alarms_homerhythm SET (autovacuum_vacuum_scale_factor = 0.02)",
            "ALTER TABLE alarms_homerhythm RESET (autovacuum_vacuum_scale_factor)",
        ),
    ]
