"""What the sweep asks of every home stands in a narrow table of its own, which the database keeps with each write (ADR 0012).

First the triggers, which wait for writers under way and hold up new ones until this is committed; then the homes that are there.
"""

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

CARRY = """
INSERT INTO alarms_homedue (home_id, look_at, heard_until)
SELECT home_id, CASE WHEN watched THEN look_at END, CASE WHEN watched THEN heard_until END FROM alarms_homewatch
ON CONFLICT (home_id) DO UPDATE SET look_at = EXCLUDED.look_at, heard_until = EXCLUDED.heard_until
"""


class Migration(migrations.Migration):
    dependencies = [
        ("alarms", "0009_kept_tight"),
    ]

    operations = [
        migrations.CreateModel(
            name="HomeDue",
            fields=[
                (
                    "watch",
                    models.OneToOneField(
                        db_column="home_id",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="due",
                        serialize=False,
                        to="alarms.homewatch",
                        verbose_name="看护",
                    ),
                ),
                ("look_at", models.DateTimeField(blank=True, null=True, verbose_name="下次查看")),
                ("heard_until", models.DateTimeField(blank=True, null=True, verbose_name="听到何时")),
            ],
            options={
                "verbose_name": "看护期限",
                "verbose_name_plural": "看护期限",
                "ordering": ["watch"],
                "abstract": False,
                "base_manager_name": "unscoped",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE alarms_homedue SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, parallel_workers = 0)",
            migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="homewatch",
            trigger=pgtrigger.compiler.Trigger(
                name="watch_made_due",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="INSERT INTO alarms_homedue (home_id, look_at, heard_until) SELECT home_id, CASE WHEN watched THEN look_at END, CASE WHEN watched THEN heard_until END FROM written ON CONFLICT (home_id) DO UPDATE SET look_at = EXCLUDED.look_at, heard_until = EXCLUDED.heard_until WHERE (alarms_homedue.look_at, alarms_homedue.heard_until) IS DISTINCT FROM (EXCLUDED.look_at, EXCLUDED.heard_until); RETURN NULL;",
                    hash="40a3a500ecb6d3a428e2ca1d921c0aca1c840ef4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_watch_made_due_6cf31",
                    referencing="REFERENCING NEW TABLE AS written ",
                    table="alarms_homewatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="homewatch",
            trigger=pgtrigger.compiler.Trigger(
                name="watch_changed_due",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="INSERT INTO alarms_homedue (home_id, look_at, heard_until) SELECT home_id, CASE WHEN watched THEN look_at END, CASE WHEN watched THEN heard_until END FROM written ON CONFLICT (home_id) DO UPDATE SET look_at = EXCLUDED.look_at, heard_until = EXCLUDED.heard_until WHERE (alarms_homedue.look_at, alarms_homedue.heard_until) IS DISTINCT FROM (EXCLUDED.look_at, EXCLUDED.heard_until); RETURN NULL;",
                    hash="f138e172464fc793b8551835f857563e6464a73e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_watch_changed_due_c71f5",
                    referencing="REFERENCING NEW TABLE AS written ",
                    table="alarms_homewatch",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(CARRY, migrations.RunSQL.noop),
    ]
