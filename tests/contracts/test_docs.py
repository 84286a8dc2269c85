"""Docs are checked, or they rot: every relative link leads somewhere, and what the tour and the glossary name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md")])


def dead_links(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead to no file."""
    targets = [target for _, target in LINK.findall(text) if not re.match(r"[a-z]+:|#", target)]
    return [target for target in targets if not (page.parent / target.split("#")[0]).exists()]


def names_in(source: Path) -> set[str]:
    """Every function, class, method and module constant that a Python file defines."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def missing_names(page: Path, text: str) -> list[str]:
    """Links like [`hear`](../src/…/actions.py) whose file does not define that name."""
    wrong = []
    for label, target in LINK.findall(text):
        name = re.fullmatch(r"`([A-Za-z_][A-Za-z0-9_]*)(?:\(\))?`", label)
        file = page.parent / target.split("#")[0]
        if name and file.suffix == ".py" and file.exists() and name[1] not in names_in(file):
            wrong.append(f"{target} does not define {name[1]}")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_of_the_docs_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert dead_links(page, text) == []
    assert missing_names(page, text) == []


def test_a_dead_link_and_a_wrong_name_are_found() -> None:
    here = Path(__file__)
    good = "[this](test_docs.py) and [`dead_links`](test_docs.py)"
    bad = "[that](nowhere.md) and [`no_such_name`](test_docs.py)"
    assert (dead_links(here, good), missing_names(here, good)) == ([], [])
    assert dead_links(here, bad) == ["nowhere.md"]
    assert missing_names(here, bad) == ["test_docs.py does not define no_such_name"]


def test_the_tour_has_ten_steps_and_each_names_code() -> None:
    tour = ROOT / "docs" / "tour.md"
    steps = [line for line in tour.read_text(encoding="utf-8").splitlines() if re.match(r"\d+\. ", line)]
    assert len(steps) == 10
    assert all(LINK.search(step) for step in steps)


def test_every_class_of_the_glossary_exists() -> None:
    """The third column of the glossary names `module.Class`; the fourth its table."""
    rows = re.findall(
        r"^\|[^|]*\|[^|]*\| `([a-z_.]+)\.([A-Za-z]+)` \|", (ROOT / "docs/glossary.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) > 20
    missing = []
    for module, name in rows:
        path = ROOT / "src" / "anju" / Path(*module.split("."))
        files = [
            path.with_suffix(".py"),
            path / "models.py",
            *(path.glob("*.py") if path.is_dir() else []),
            *path.glob("models/*.py"),
        ]
        if not any(name in names_in(f) for f in files if f.exists()):
            missing.append(f"{module}.{name}")
    assert missing == []
