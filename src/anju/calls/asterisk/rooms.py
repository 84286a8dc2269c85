"""Bridges, music, prompts and recordings over Asterisk: the half of the port that is not about single legs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from anju.calls.asterisk import words
from anju.calls.asterisk.ari import Client, Conflict, NotFound, Refused, Unanswered
from anju.calls.asterisk.hearing import Hearing
from anju.calls.exchange import EngineDown, Fenced, Gone, Spy

log = logging.getLogger("anju.calls.asterisk")

_SNOOP_TIME = 3.0
"""Seconds until an ear must have entered; longer means that the leg is gone."""


class Rooms:
    """Wants a client, what was heard so far, and whether somebody else acts."""

    _app: str
    _ari: Client
    _hearing: Hearing
    _fenced: bool

    async def _ask(self, method: str, path: str, *, body: Any = None, **query: str | int | bool) -> Any:
        if self._fenced:
            raise Fenced("another switchboard acts")
        try:
            return await self._ari.request(method, path, body=body, **query)
        except Unanswered as trouble:
            raise EngineDown(str(trouble)) from trouble

    async def _on(self, leg_id: str, method: str, verb: str, **query: str | int | bool) -> Any:
        """A verb on a leg; Gone when it is too late."""
        try:
            return await self._ask(method, f"channels/{leg_id}/{verb}", **query)
        except (NotFound, Conflict) as late:
            raise Gone(leg_id) from late

    async def _maybe(self, method: str, path: str, **query: str | int | bool) -> Any:
        """A request that may come too late without harm."""
        try:
            return await self._ask(method, path, **query)
        except (NotFound, Conflict):
            return None

    async def music(self, leg_id: str, *, on: bool) -> None:
        """Per leg: the music of a shared bridge dies with the first who leaves it."""
        await self._on(leg_id, "POST" if on else "DELETE", "moh")

    # ---- prompts and recordings

    async def play(self, target: str, prompts: Sequence[str], *, play_id: str) -> None:
        """To a leg or, when it is one, a bridge."""
        where = "bridges" if self._hearing.is_bridge(target) else "channels"
        try:
            await self._ask(
                "POST", f"{where}/{target}/play/{play_id}", media=",".join(map(words.media, prompts)), lang="zh"
            )
        except (NotFound, Conflict) as late:
            raise Gone(target) from late

    async def stop_playing(self, play_id: str) -> None:
        """Stop."""
        self._hearing.stopped.add(play_id)
        if await self._maybe("DELETE", f"playbacks/{play_id}") is None:
            return

    async def record(self, bridge_id: str, name: str) -> None:
        """WAV, 8 kHz."""
        try:
            await self._ask(
                "POST", f"bridges/{bridge_id}/record", name=name, format="wav", ifExists="fail", beep=False,
                maxDurationSeconds=0,
            )  # fmt: skip
        except NotFound as late:
            raise Gone(bridge_id) from late
        except Conflict:
            log.info("the recording %s runs already", name)

    async def stop_recording(self, name: str) -> None:
        """Stop and keep."""
        await self._maybe("POST", f"recordings/live/{name}/stop")

    # ---- bridges

    async def bridge(self, bridge_id: str) -> None:
        """Mixing, with keys reported."""
        self._hearing.bridges.add(bridge_id)
        await self._maybe("POST", f"bridges/{bridge_id}", type="mixing,dtmf_events", name=bridge_id)

    async def join(self, bridge_id: str, *leg_ids: str) -> None:
        """One request moves all; when one is gone each is moved by itself."""
        try:
            await self._add(bridge_id, ",".join(leg_ids))
        except Gone:
            if len(leg_ids) == 1:
                raise
            gone = [late.leg_id for late in [await self._try_add(bridge_id, one) for one in leg_ids] if late]
            if gone:
                raise Gone(gone[0]) from None

    async def _try_add(self, bridge_id: str, leg_id: str) -> Gone | None:
        try:
            await self._add(bridge_id, leg_id)
        except Gone as late:
            return late
        return None

    async def _add(self, bridge_id: str, leg_ids: str) -> None:
        try:
            # a caller's telephone is not told who sits at the seat: no re-INVITE, no name
            await self._ask(
                "POST", f"bridges/{bridge_id}/addChannel", channel=leg_ids, inhibitConnectedLineUpdates=True
            )
        except NotFound as late:
            raise Gone(bridge_id) from late
        except Refused as late:
            raise Gone(leg_ids) from late
        for leg_id in leg_ids.split(","):
            self._hearing.room_of[leg_id] = bridge_id

    async def part(self, leg_id: str) -> None:
        """Out of the bridge where it is."""
        room = self._hearing.room_of.pop(leg_id, "")
        if not room:
            return
        try:
            await self._ask("POST", f"bridges/{room}/removeChannel", channel=leg_id)
        except Refused as late:
            if late.status == 400:
                raise Gone(leg_id) from late

    async def unbridge(self, bridge_id: str) -> None:
        """Legs stay with us, in no bridge."""
        self._hearing.bridges.discard(bridge_id)
        await self._maybe("DELETE", f"bridges/{bridge_id}")

    async def hold(self, leg_id: str) -> None:
        """Out, and music."""
        await self.part(leg_id)
        await self.music(leg_id, on=True)

    async def unhold(self, leg_id: str, bridge_id: str) -> None:
        """Music ends first: in a bridge it would be lost to the party's own."""
        await self.music(leg_id, on=False)
        await self.join(bridge_id, leg_id)

    async def snoop(self, leg_id: str, snoop_id: str, *, spy: Spy = "both", whisper: Spy = "none") -> None:
        """Returns when the ear can be put into a bridge."""
        entered = self._hearing.expect_snoop(snoop_id)
        try:
            await self._on(
                leg_id, "POST", f"snoop/{snoop_id}", spy=spy, whisper=whisper, app=self._app, appArgs="snoop"
            )
            await asyncio.wait_for(entered, _SNOOP_TIME)
        except TimeoutError as late:
            raise Gone(leg_id) from late
        finally:
            self._hearing.snoops.pop(snoop_id, None)
