"""The ears of a home as a short text: a narrow row is what a message and a sweep cost."""

from django.db import migrations

import anju.alarms.ears


class Migration(migrations.Migration):
    dependencies = [("alarms", "0007_second_signs")]

    operations = [
        migrations.AlterField(
            model_name="homewatch",
            name="ears",
            field=anju.alarms.ears.EarsField(default=dict, verbose_name="各传感器"),
        ),
    ]
