"""Write `api.py` from Asterisk's own description of its interface.

    python src/anju/calls/asterisk/generate.py <tree>/usr/share/asterisk/rest-api

The JSON files come with every Asterisk. Only what the client understands is written, with all that it refers to; the
comments in the JSON stay there. Run it again after an Asterisk of a newer series; the test
`test_asterisk_api_is_fresh` does so where a tree is at hand.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

EVENTS = (
    "StasisStart", "StasisEnd", "ChannelStateChange", "ChannelDestroyed", "ChannelHangupRequest",
    "ChannelDtmfReceived", "ChannelTalkingStarted", "ChannelTalkingFinished", "ChannelEnteredBridge",
    "ChannelLeftBridge", "PlaybackFinished", "RecordingFinished", "RecordingFailed", "ApplicationReplaced",
)  # fmt: skip
ANSWERS = ("Channel", "Bridge", "Playback", "LiveRecording", "Application", "Endpoint", "AsteriskInfo")
FILES = ("events", "channels", "bridges", "playbacks", "recordings", "applications", "endpoints", "asterisk")
PRIMITIVES = {
    "string": "str", "int": "int", "long": "int", "double": "float", "boolean": "bool", "Date": "str",
    "object": "dict[str, Any]", "containers": "dict[str, Any]",
}  # fmt: skip
HEAD = '''"""What Asterisk {version} sends, as it describes itself. Written by generate.py: do not change by hand."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

'''

Models = dict[str, dict[str, Any]]


def read(folder: Path) -> Models:
    """All models of the description."""
    found: Models = {}
    for name in FILES:
        found.update(json.loads((folder / f"{name}.json").read_text())["models"])
    return found


def properties(name: str, models: Models) -> dict[str, dict[str, Any]]:
    """The fields of a model with those that it inherits, in the order in which they are described."""
    merged: dict[str, dict[str, Any]] = {}
    for parent, model in models.items():
        if name in model.get("subTypes", ()):
            merged.update(properties(parent, models))
    own: dict[str, dict[str, Any]] = models[name].get("properties", {})
    return merged | own


def written(kind: str) -> str:
    """A type of the description in Python's words."""
    if kind.startswith("List["):
        return f"list[{written(kind[5:-1])}]"
    return PRIMITIVES.get(kind, kind)


def reached(roots: tuple[str, ...], models: Models) -> list[str]:
    """The models that the roots refer to, those first that others need."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name not in models:
            return
        for field in properties(name, models).values():
            visit(field["type"].removeprefix("List[").removesuffix("]"))
        order.append(name)

    for root in roots:
        visit(root)
    return order


def model(name: str, models: Models) -> str:
    """One class."""
    lines = [f"class {name}(TypedDict):"]
    fields = {key: field for key, field in properties(name, models).items() if key != "type"}
    if name in EVENTS:
        lines.append(f'    type: Literal["{name}"]')
    for key, field in fields.items():
        values = field.get("allowableValues", {}).get("values")
        kind = f"Literal[{', '.join(json.dumps(v) for v in values)}]" if values else written(field["type"])
        lines.append(f"    {key}: {kind if field.get('required') else f'NotRequired[{kind}]'}")
    return "\n".join(lines if len(lines) > 1 else [*lines, "    pass"])


def text(folder: Path, version: str) -> str:
    """The whole module."""
    models = read(folder)
    classes = [model(name, models) for name in reached((*EVENTS, *ANSWERS), models)]
    union = "AnyEvent = (\n    " + "\n    | ".join(EVENTS) + "\n)"
    source = HEAD.format(version=version) + "\n\n\n".join([*classes, union]) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--line-length", "120", "-"],
        input=source, text=True, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


def main() -> None:
    """Write the module beside this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder rest-api of an Asterisk")
    parser.add_argument("--version", default="22")
    chosen = parser.parse_args()
    Path(__file__).with_name("api.py").write_text(text(chosen.folder, chosen.version))


if __name__ == "__main__":
    main()
