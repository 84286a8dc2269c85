from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """A family's post says which contact of the elder it belongs to."""

    dependencies: ClassVar = [("accounts", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="posting",
            name="contact_id",
            field=models.BigIntegerField(
                blank=True, help_text="家属的岗位来自老人档案里的哪一位联系人", null=True, verbose_name="联系人"
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("contact_id__isnull", False)), fields=("contact_id",), name="one_account_a_contact"
            ),
        ),
    ]
