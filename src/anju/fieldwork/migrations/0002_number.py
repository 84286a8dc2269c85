"""Where order numbers come from: a sequence; `NumberDay` remembers where each day began."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE fieldwork_number AS bigint; SELECT nextval('fieldwork_number')",
            "DROP SEQUENCE fieldwork_number",
        )
    ]
