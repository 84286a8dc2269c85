"""Where a rule of the tree does not hold, and why. A line without a good reason is a line to delete.

Paths are relative to src/anju; "x/*" stands for everything below x.
"""

from __future__ import annotations

RAW_SQL = {
    "kernel/*": "the engine room: locks, notifications, the audit chain's own columns",
    "signals/*": "the durable log: COPY, partitions, cursors that the ORM cannot say",
    "portals/device_gateway/*": "the group commit is COPY on its own connection",
    "alarms/ledger.py": "the ledger counts rows of three tables in one statement",
    "alarms/noting.py": "a batch's vitals: savepoints and bulk statements, one reading must not stop the rest",
    "alarms/explaining.py": "the sentence of an alarm of silence, from the tables that set its deadline",
    "alarms/sensing.py": "the watch over all homes: from a batch to rows, from the clock to alarms",
    "alarms/outbreaks.py": "what deaf homes have in common: pure",
    "alarms/storms.py": "one outage, one case, and the list of the homes to call",
    "alarms/vigil.py": "the open silence of one home: watermark, deadlines, what the clock raises; pure",
    "alarms/worst_case.py": "if she fell now, when would we know: pure",
    "alarms/storms.py": "what all watched homes have in common, in one statement",
    "alarms/watch.py": "watches the log's tables as the ledger does",
    "alarms/actions.py": "advisory lock of a home, and numbers of a day",
    "incidents/actions/opening.py": "advisory lock: two alarms of one home open one incident",
    "fieldwork/actions.py": "advisory lock: two alarms of one device open one order",
    "devices/actions.py": "one UPDATE … FROM unnest for the vitals of a batch",
    "calls/actions/asking.py": "a verb wakes the switchboard with a notification",
    "calls/actions/seats.py": "a seat's word wakes the switchboard with a notification",
    "calls/control/*": "the switchboard's rows of many calls in one round trip before anything rings; its lock and its bell",
    "config/*": "processes that listen on the database",
    "portals/desk/presence.py": "who has a desk open: one upsert a heartbeat",
    "portals/desk/hub.py": "listens on the database",
    "ops/*": "starts, backs up and asks the database itself",
}
"""Who may write SQL by hand."""

LONG_FILES: dict[str, str] = {
    "portals/desk/static/desk/desk.js": "built from the TypeScript islands",
}
"""Files over 400 lines."""

FILE_NAMES: dict[str, str] = {
    "accounts/addresses.py": "who may log in from which address: pure, for rules and views",
    "accounts/backoffice.py": "what every form of the back office shares",
    "accounts/forms.py": "the fields of log-in, password and second factor",
    "accounts/locks.py": "lock-out after failures",
    "accounts/passwords.py": "validators that Django calls by path",
    "accounts/permissions.py": "which role may do what in the archive: one table",
    "accounts/roles.py": "named by every process table, so it imports no Django",
    "accounts/second_factor.py": "TOTP: adapter that the log-in library calls by path",
    "accounts/sessions.py": "how long a log-in lasts and when it ends",
    "accounts/traces.py": "log-ins and refusals as lines of the audit log",
    "alarms/codes.py": "the vocabulary of SCAIP with its Chinese labels",
    "alarms/ledger.py": "the conservation of messages and alarms, computed from the rows",
    "alarms/noting.py": "what a batch tells about the devices themselves",
    "alarms/replay.py": "the door for measuring the rhythm on a recording: no database",
    "alarms/rhythm.py": "SR-C, the statistic of silence: pure",
    "alarms/routing.py": "from the log to alarms: the router's work",
    "alarms/watch.py": "troubles of the platform that are alarms of their own",
    "calls/control/*": "the switchboard: live calls, and what it does with them",
    "calls/levels/*": "a sub-app: the level of each queue and proposals to move seats",
    "calls/recordings/*": "a sub-app: what was recorded, sealed, copied and may be heard",
    "calls/kpis/*": "the figures of the call centre: each a function, a test, a sentence",
    "calls/exchange.py": "the port to a telephone engine",
    "calls/simulator.py": "the same port without an engine",
    "devices/profile.py": "what a product's properties mean, as data",
    "devices/totals.py": "many devices at once, judged and counted by the database",
    "elders/checks.py": "what is refused before it is stored, shared by the actions",
    "elders/finding.py": "blind index look-ups",
    "elders/freezing.py": "what a case keeps of a home: built once, for queries.freeze",
    "elders/geo.py": "WGS-84 and GCJ-02",
    "elders/identity.py": "check digits and birth dates of ID numbers",
    "elders/lists.py": "pages of lists",
    "elders/masks.py": "what of a name or a number each role sees",
    "elders/rights.py": "a copy and the deletion of a person's data, apart from the daily actions",
    "elders/words.py": "the words of the two forms",
    "calls/scripts/menus.py": "the language of DTMF menus: pure",
    "calls/scripts/spoken.py": "the scripts: what a machine says, one coroutine each",
    "calls/scripts/stage.py": "what a script needs of the switchboard: a port",
    "calls/scripts/voice.py": "free text as a sound file for one call",
    "incidents/calling.py": "what the desk asks about the calls of a case",
    "incidents/conditions.py": "the named conditions of the table",
    "incidents/fields.py": "what each move asks for: the fields of its dialog",
    "incidents/plan.py": "what is frozen when a case opens",
    "incidents/scenes.py": "which duties a scene asks for",
    "incidents/sheet.py": "the rescue sheet",
    "incidents/waiting.py": "the queue as light rows, asked at every change",
    "notices/drivers.py": "the ways out: in-platform, webhook",
    "notices/templates.py": "the texts of messages",
    "signals/activity.py": "the words of a home's activity: pure",
    "signals/log.py": "the durable log's format",
    "signals/partitions.py": "daily partitions",
    "signals/signal.py": "the shape of a signal, for all who speak of it",
}
"""Files of domain modules whose names are not among the usual ones. A package instead of a file needs no line."""
