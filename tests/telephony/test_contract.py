"""Asterisk passes the contract that the simulator passes (src/anju/calls/tests/test_engine_contract.py)."""

import asyncio

import pytest

from anju.calls.testing.engine import ENGINE_CONTRACT
from tests.telephony.stage import RealStage

pytestmark = [pytest.mark.telephony, pytest.mark.timeout(240)]


@pytest.mark.req("CALL-01")
@pytest.mark.parametrize("promise", ENGINE_CONTRACT, ids=lambda p: p.__name__)
def test_asterisk_keeps_the_engines_contract(promise, room, hands):
    async def play():
        stage = RealStage(room, hands)
        await stage.open()
        try:
            await promise(stage)
        finally:
            await stage.close()

    asyncio.run(play())
