from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """A consent may let her family look."""

    dependencies: ClassVar = [("elders", "0002_scans")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="consent",
            name="scope",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("monitor", "设备日常监测"),
                        ("meters", "用水、用电、燃气数据"),
                        ("calls", "电话被叫话单"),
                        ("rescue_110_120_119", "授权代拨 110、120、119"),
                        ("third_party", "向第三方提供"),
                        ("family", "家属在网上查看起居和报警"),
                    ],
                    max_length=24,
                ),
                default=list,
                size=None,
                verbose_name="同意范围",
            ),
        ),
    ]
