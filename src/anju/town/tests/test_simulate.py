"""The simulator behaves like an operator's platform, whatever our front door does."""

import asyncio
import json

import pytest

from anju.kernel import clock
from anju.town import bodies, operator, people
from anju.town.simulate import Plan, Town
from anju.town.voices import Household, Keys
from anju.town.weather import Weather
from anju.town.wire import Door

CALM = Weather(0, 0, 0, 0, 0, 0, 0)
KEYS = Keys("token", "0123456789abcdef")


class FrontDoor:
    """An HTTP server that answers what the test says and keeps what it was sent."""

    def __init__(self, answers=()):
        self.answers, self.bodies, self.heads = list(answers), [], []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.doors = {c: Door(f"http://127.0.0.1:{port}/{c}?k=1", {"X-Secret": "s"}) for c in ("ctwing", "onenet")}
        return self

    async def __aexit__(self, *args):
        self.server.close()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.heads.append(head)
                self.bodies.append(json.loads(await reader.readexactly(length)))
                status = self.answers.pop(0) if self.answers else 200
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def live(plan, answers=(), homes=12):
    async def go():
        async with FrontDoor(answers) as door:
            town = Town(people.homes(homes, today=clock.today()), door.doors, plan, keys=KEYS)
            return await town.run(asyncio.Event()), door

    return asyncio.run(go())


@pytest.mark.enable_socket
@pytest.mark.req("DEV-04")
def test_posts_every_form_and_counts_what_was_acknowledged():
    tally, door = live(Plan(rate=900, duration=1.2, sos_every=0.3, weather=CALM, lines=8))
    assert tally.sent == tally.acked == len(door.bodies) > 500
    assert tally.sos_unacked == tally.given_up == 0
    assert tally.kinds["sos"] >= 3
    payloads = [b["payload"] for b in door.bodies if b.get("messageType") == "dataReport"]
    assert any("APPdata" in p for p in payloads)
    assert any("serviceData" in p for p in payloads)
    assert any("Motion_Records" in p for p in payloads)
    assert any("signature" in b for b in door.bodies)
    assert all(b"X-Secret: s" in head for head in door.heads)


@pytest.mark.enable_socket
def test_only_200_counts_and_after_three_retries_a_message_is_gone():
    tally, door = live(Plan(rate=40, duration=0.05, weather=CALM, lines=1), answers=[503, 500, 429, 400, 500, 200])
    assert tally.given_up == 1
    assert tally.retried == 4
    assert tally.acked == tally.sent - 1
    assert len({json.dumps(b) for b in door.bodies[:4]}) == 1


@pytest.mark.enable_socket
def test_ends_at_once_when_asked_and_says_when_nobody_answers():
    async def go():
        stop = asyncio.Event()
        town = Town(
            people.homes(3, today=clock.today()),
            {"ctwing": Door("http://127.0.0.1:9/x", {})},
            Plan(duration=6000),
            keys=KEYS,
        )
        running = asyncio.create_task(town.run(stop))
        stop.set()
        return await asyncio.wait_for(running, 60)

    tally = asyncio.run(go())
    assert tally.acked == 0


def test_the_operator_loses_patience():
    patience = operator.Patience()
    for n in range(101):
        patience.note(n * 0.01, ok=False)
    assert not patience.open(1.1)
    assert patience.open(1.0 + operator.PAUSE + 1)
    steady = operator.Patience()
    for n in range(200):
        steady.note(n * 0.01, ok=n % 20 != 0)
    assert steady.open(2.0)
    for n in range(60):
        steady.note(2 + n * 0.01, ok=n % 3 != 0)
    assert steady.stops == 1


def test_weather_never_touches_an_sos():
    from random import Random

    rough, rng = Weather(lost=0.3, twice=0.2, late_share=0.2, swapped=0.2), Random(4)
    outcomes = [list(rough.of("x", rng)) for _ in range(2000)]
    assert any(not o for o in outcomes)
    assert {m for o in outcomes for _, _, m in o} == {"", "twice", "late", "swapped"}
    calls = [list(rough.of("sos", rng, precious=True)) for _ in range(500)]
    assert all(c[0][0] == 0 and c[0][2] == "" for c in calls)


@pytest.mark.req("DEV-05")
def test_motion_batches_carry_records_and_a_growing_number():
    home = next(
        h
        for h in people.homes(40, today=clock.today())
        if any(d.product == "pir-nb1" and not d.trouble for d in h.devices)
    )
    voice = next(v for v in Household.of(home, 1, KEYS).voices if v.device.product == "pir-nb1")
    now = clock.now()
    posts = [p for n in range(24) for p in voice.say("motion", at=now, count=n)]
    data = [json.loads(p.body)["payload"] for p in posts]
    assert [len(d["Motion_Records"]) for d in data] == [8, 8, 8]
    assert [d["Seq"] - data[0]["Seq"] for d in data] == [0, 1, 2]


def test_onenet_is_sealed_and_signed():
    import base64
    import hashlib

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    speaker = bodies.Speaker("1", "d", "p", "properties", "")
    body = json.loads(bodies.onenet(speaker, {"A": 1}, 1700000000000, token="t", aes_key=KEYS.aes_key, nonce="n"))
    signed = hashlib.md5(f"tn{body['msg']}".encode(), usedforsecurity=False).digest()
    assert base64.b64decode(body["signature"]) == signed
    key = KEYS.aes_key.encode()
    plain = Cipher(algorithms.AES(key), modes.CBC(key)).decryptor().update(base64.b64decode(body["msg"]))
    assert json.loads(plain[: -plain[-1]])["data"]["params"]["A"]["value"] == 1
