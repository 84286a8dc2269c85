"""The language of DTMF menus: tables of keys, as data. Pure: no database, no engine, no clock.

A menu says something and waits for a key. A key leads to a queue, to another menu, to a text, to the same again, back, or
to the end. Whoever presses nothing (old people often do not) is never lost: after `tries` the menu's `otherwise` holds,
and that must lead to a person. `problems` finds what would strand a caller before a menu is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

ACTIONS = {
    "queue": "转到队列",
    "menu": "进入菜单",
    "say": "播放后重听",
    "repeat": "重听本菜单",
    "back": "返回上一级",
    "end": "播放后挂机",
}
KEYS = "0123456789*#"
PERSON = "0"
"""The key that leads to a person everywhere, whatever the table says of the others."""
LONGEST_WALK = 20
"""So many steps at most; then the caller gets a person."""


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a menu."""

    key: str
    action: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One menu. `prompts` are codes; `otherwise` is the queue for who presses nothing or wrongly `tries` times."""

    code: str
    prompts: tuple[str, ...] = ()
    says: str = ""
    keys: Mapping[str, Key] = field(default_factory=dict)
    otherwise: str = ""
    wait_seconds: int = 6
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Say:
    """Play this and wait so long for a key."""

    prompts: tuple[str, ...]
    says: str
    wait_seconds: int


@dataclass(frozen=True, slots=True)
class Go:
    """The caller waits for a seat of this queue ("" = the usual one of the number called)."""

    queue: str


@dataclass(frozen=True, slots=True)
class End:
    """Play this and hang up."""

    prompts: tuple[str, ...]


Step = Say | Go | End


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a caller stands in the menus. Every method answers with a new walk; `step` is what to do now."""

    tables: Mapping[str, Table]
    path: tuple[str, ...]
    step: Step
    missed: int = 0
    steps: int = 0

    @property
    def here(self) -> Table:
        """The menu that the caller hears."""
        return self.tables[self.path[-1]]

    def press(self, digit: str) -> Walk:
        """A key."""
        line = self.here.keys.get(digit)
        if line is None and digit == PERSON:
            line = Key(PERSON, "queue", self.here.otherwise)
        return self._again(("invalid_key",), missed=self.missed + 1) if line is None else self._follow(line)

    def _follow(self, line: Key) -> Walk:
        match line.action:
            case "queue":
                return self._go(line.argument)
            case "menu" if line.argument in self.tables:
                return self._enter((*self.path, line.argument))
            case "back" if len(self.path) > 1:
                return self._enter(self.path[:-1])
            case "say" | "repeat":
                return self._again((line.argument,) if line.argument else (), missed=0)
            case "end":
                return replace(self, step=End((line.argument or "thanks",)))
            case _:  # a line that leads nowhere: a person takes it
                return self._go(self.here.otherwise)

    def silence(self) -> Walk:
        """No key in time."""
        return self._again((), missed=self.missed + 1)

    def _go(self, queue: str) -> Walk:
        return replace(self, step=Go(queue))

    def _enter(self, path: tuple[str, ...]) -> Walk:
        entered = replace(self, path=path, missed=0, steps=self.steps + 1)
        if entered.steps >= LONGEST_WALK:
            return self._go(self.here.otherwise)
        return replace(entered, step=_say(entered.here))

    def _again(self, before: tuple[str, ...], *, missed: int) -> Walk:
        if missed >= self.here.tries or self.steps + 1 >= LONGEST_WALK:
            return self._go(self.here.otherwise)
        return replace(self, missed=missed, steps=self.steps + 1, step=_say(self.here, before))


def begin(tables: Mapping[str, Table], code: str) -> Walk:
    """A caller enters this menu; one that is not there leads to a person at once."""
    if code not in tables:
        return Walk(tables, (code,), Go(""))
    return Walk(tables, (code,), _say(tables[code]))


def _say(table: Table, before: tuple[str, ...] = ()) -> Say:
    return Say((*before, *table.prompts), table.says, table.wait_seconds)


def problems(tables: Mapping[str, Table], queues: Collection[str], prompts: Collection[str]) -> list[str]:
    """What would strand a caller, in Chinese; empty when every path ends with a person or a goodbye."""
    return [problem for table in tables.values() for problem in _problems_of(table, tables, queues, prompts)]


def _problems_of(
    table: Table, tables: Mapping[str, Table], queues: Collection[str], prompts: Collection[str]
) -> Iterator[str]:  # fmt: skip
    if not table.prompts and not table.says:
        yield f"菜单 {table.code} 没有语音：选一段语音或写一句话"
    for prompt in table.prompts:
        if prompt not in prompts:
            yield f"菜单 {table.code} 的语音 {prompt} 不存在"
    if table.otherwise and table.otherwise not in queues:
        yield f"菜单 {table.code}：没有队列 {table.otherwise}"
    if not 1 <= table.tries <= 5 or not 2 <= table.wait_seconds <= 30:
        yield f"菜单 {table.code}：等待 2-30 秒，次数 1-5"
    known = {"queue": queues, "menu": tables, "say": prompts, "end": {*prompts, ""}}
    for line in table.keys.values():
        if line.key not in KEYS or len(line.key) != 1:
            yield f"菜单 {table.code}：按键只能是 0-9、*、#，不能是 {line.key}"
        if line.action not in ACTIONS:
            yield f"菜单 {table.code} 按键 {line.key}：没有这种动作"
        elif line.action in known and line.argument not in known[line.action]:
            yield f"菜单 {table.code} 按键 {line.key}：{ACTIONS[line.action]}“{line.argument}”不存在"
