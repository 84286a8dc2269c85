"""The shape of the source: names of files, their length, who writes SQL, who makes moves, who sets the clock."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.contracts import exceptions
from tests.contracts.tree import ROOT, SOURCE, called, imported, name, parsed, python_files

USUAL = {
    "__init__", "models", "flow", "actions", "queries", "facts", "rules", "jobs", "admin", "apps", "urls", "views",
    "tests", "migrations", "management", "templates", "templatetags", "static", "profiles", "data", "decoders",
}  # fmt: skip
DOMAIN = {
    "places", "accounts", "notices", "knowledge", "elders", "devices", "signals", "calls", "alarms", "fieldwork", "incidents",
    "supervision",
}  # fmt: skip
LONGEST = 400
SQL = {"execute", "executemany", "raw", "extra", "RawSQL", "copy"}
WRITTEN = {".py", ".html", ".css", ".ts", ".js", ".toml"}


def excused(path: str, table: dict[str, str]) -> bool:
    """Whether a line of the table speaks of this path."""
    return any(fnmatch(path, pattern) for pattern in table)


def odd_names(paths: list[str]) -> list[str]:
    """Files and folders of domain modules whose names are neither usual nor excused."""
    odd = set()
    for path in paths:
        module, _, rest = path.partition("/")
        first = rest.partition("/")[0].removesuffix(".py")
        if module in DOMAIN and first not in USUAL and not excused(path, exceptions.FILE_NAMES):
            odd.add(path)
    return sorted(odd)


def writes_sql(tree: ast.AST) -> bool:
    """Whether SQL is written by hand here: a call that takes a string with a verb of SQL, or opens a cursor."""
    for function, call in called(tree):
        if function in {"RawSQL", "cursor"}:
            return True
        words = [a for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if function in SQL and any(w.value.split(None, 1)[:1] and w.value.split()[0].isupper() for w in words):
            return True
    return False


def test_files_of_a_module_have_the_usual_names() -> None:
    assert odd_names(["elders/models.py", "elders/actions/moving.py", "kernel/anything.py"]) == []
    assert odd_names(["elders/services.py", "alarms/helpers/x.py"]) == ["alarms/helpers/x.py", "elders/services.py"]
    assert odd_names([name(p) for p in python_files()]) == []


def test_no_file_is_long_without_a_reason() -> None:
    long = {
        name(p): n
        for p in sorted(SOURCE.rglob("*"))
        if p.suffix in WRITTEN and "migrations" not in p.parts and "vendor" not in p.parts
        if (n := p.read_text(encoding="utf-8").count("\n")) > LONGEST
    }
    assert {p: n for p, n in long.items() if not excused(p, exceptions.LONG_FILES)} == {}


@pytest.mark.parametrize(
    ("code", "by_hand"),
    [
        ("cursor.execute('SELECT 1')", True),
        ("connection.cursor()", True),
        ("Elder.objects.raw('SELECT * FROM x')", True),
        ("models.F('x') + RawSQL('1', [])", True),
        ("job.execute(plan)", False),
        ("shutil.copy('a b', 'c')", False),
    ],
)
def test_sql_is_recognised(code: str, by_hand: bool) -> None:
    assert writes_sql(ast.parse(code)) is by_hand


def test_sql_is_written_by_hand_only_where_it_is_excused() -> None:
    found = [name(p) for p in python_files() if writes_sql(parsed(p))]
    assert [p for p in found if not excused(p, exceptions.RAW_SQL)] == []


def test_every_exception_still_has_something_to_excuse() -> None:
    paths = [p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*") if p.is_file()]
    for table in (exceptions.RAW_SQL, exceptions.LONG_FILES, exceptions.FILE_NAMES):
        assert [pattern for pattern in table if not any(fnmatch(p, pattern) for p in paths)] == []
        assert [pattern for pattern, why in table.items() if len(why) < 10] == []


ENGINE = "anju.kernel.flow.engine"
TICKER = "anju.kernel.flow.ticker"


def may_import(importer: str, what: str) -> bool:
    """The protected doors of the flow engine: moves from actions, ringing from config."""
    if importer.startswith("kernel/"):
        return True
    inside = importer.split("/", 1)[1] if "/" in importer else importer
    if what == ENGINE:  # of a module, or of a sub-app with the usual names inside
        return re.fullmatch(r"(\w+/)?actions(\.py|/.*)", inside) is not None
    return importer.startswith("config/")


def test_moves_are_made_only_by_actions_and_rung_only_by_config() -> None:
    assert may_import("incidents/actions/moves.py", ENGINE)
    assert may_import("calls/scripts/actions.py", ENGINE)
    assert not may_import("calls/scripts/voice.py", ENGINE)
    assert not may_import("portals/desk/views.py", ENGINE)
    assert not may_import("incidents/queries.py", ENGINE)
    assert may_import("config/ticker.py", TICKER)
    assert not may_import("incidents/actions.py", TICKER)
    wrong = [
        f"{name(p)} imports {what}"
        for p in python_files()
        for what in (ENGINE, TICKER)
        if what in imported(parsed(p)) and not may_import(name(p), what)
    ]
    assert wrong == []


def sets_the_clock(tree: ast.AST) -> bool:
    """Whether something here pretends that it is another time."""
    clocks = [c.func for f, c in called(tree) if f in {"pretend", "at"} and isinstance(c.func, ast.Attribute)]
    return any(isinstance(f.value, ast.Name) and f.value.id == "clock" for f in clocks)


def test_only_made_up_history_sets_the_clock() -> None:
    assert sets_the_clock(ast.parse("with clock.pretend(then): pass"))
    assert not sets_the_clock(ast.parse("now = clock.now(); rows.at(3)"))
    assert [
        name(p) for p in python_files() if not name(p).startswith(("town/", "kernel/")) and sets_the_clock(parsed(p))
    ] == []


def test_the_kernel_knows_no_word_of_the_domain() -> None:
    """No import from above, and no name of a module above in what it says."""
    above = {p.name for p in SOURCE.iterdir() if p.is_dir()} - {"kernel", "design", "__pycache__"}
    wrong = []
    for path in python_files():
        if name(path).startswith("kernel/"):
            wrong += [
                f"{name(path)}: {m}"
                for m in imported(parsed(path))
                if m.startswith("anju.") and m.split(".")[1] in above
            ]
    assert wrong == []


def test_every_folder_with_code_is_a_package() -> None:
    missing = {p.parent for p in python_files() if not (p.parent / "__init__.py").exists()}
    assert sorted(str(Path(p).relative_to(ROOT)) for p in missing) == []
