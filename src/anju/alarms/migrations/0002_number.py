"""Where alarm numbers come from: a sequence, so that no alarm waits for another one's transaction."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("alarms", "0001_initial")]
    operations = [migrations.RunSQL("CREATE SEQUENCE alarms_number AS bigint", "DROP SEQUENCE alarms_number")]
