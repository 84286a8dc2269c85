"""The log itself: partitions by local day with a default partition, so that a missing partition never refuses a message."""

from django.db import migrations

TABLES = """
CREATE TABLE signals_message (
    id          bigint      NOT NULL,
    received_at timestamptz NOT NULL,
    device_at   timestamptz,
    uid         uuid        NOT NULL,
    source      text        NOT NULL,
    product_id  text        NOT NULL,
    device_key  text        NOT NULL,
    operator_id text        NOT NULL,
    kind        text        NOT NULL,
    outcome     text        NOT NULL DEFAULT 'pending',
    n           smallint    NOT NULL,
    windowed    boolean     NOT NULL,
    dedup       bytea       NOT NULL,
    decoded     text        NOT NULL,
    raw         bytea,
    note        text        NOT NULL,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
-- the ledger of the last minutes must not read the whole day; a BRIN costs nothing when rows are appended
CREATE INDEX signals_message_time ON signals_message USING brin (received_at) WITH (pages_per_range = 32);
CREATE TABLE signals_message_default PARTITION OF signals_message DEFAULT WITH (fillfactor = 90);

CREATE SEQUENCE signals_signal_id_seq AS bigint CACHE 100;
CREATE TABLE signals_signal (
    id          bigint      NOT NULL DEFAULT nextval('signals_signal_id_seq'),
    received_at timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    message_id  bigint      NOT NULL,
    nth         smallint    NOT NULL,
    source      text        NOT NULL,
    device_id   bigint,
    home_id     bigint,
    place       varchar(12) NOT NULL,
    kind        text        NOT NULL,
    dty         text        NOT NULL,
    stc         text        NOT NULL,
    lco         text        NOT NULL DEFAULT '',
    count       integer     NOT NULL DEFAULT 1,
    value       jsonb,
    seq         bigint,
    outcome     text        NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    alarm_id    bigint,
    attempts    smallint    NOT NULL DEFAULT 0,
    retry_at    timestamptz,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX signals_signal_home ON signals_signal (home_id, at);
CREATE INDEX signals_signal_alarm ON signals_signal (alarm_id) WHERE alarm_id IS NOT NULL;
CREATE INDEX signals_signal_retry ON signals_signal (retry_at) WHERE outcome = 'pending';
CREATE INDEX signals_signal_message ON signals_signal (message_id);
CREATE INDEX signals_signal_time ON signals_signal USING brin (received_at) WITH (pages_per_range = 32);
CREATE TABLE signals_signal_default PARTITION OF signals_signal DEFAULT;

-- One row for each content heard. `day` is the local day of the message's own time, so equal contents share a partition.
CREATE TABLE signals_seen (
    day        date        NOT NULL,
    dedup      bytea       NOT NULL,
    at         timestamptz NOT NULL,
    message_id bigint      NOT NULL,
    PRIMARY KEY (day, dedup)
) PARTITION BY RANGE (day);
CREATE TABLE signals_seen_default PARTITION OF signals_seen DEFAULT;
"""
DROP = "DROP TABLE signals_message, signals_signal, signals_seen; DROP SEQUENCE signals_signal_id_seq"


class Migration(migrations.Migration):
    dependencies = [("signals", "0001_initial")]
    operations = [migrations.RunSQL(TABLES, DROP)]
