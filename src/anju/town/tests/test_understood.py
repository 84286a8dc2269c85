"""What the town says, the platform's own decoders understand: every product, every form, nothing lost on the way."""

import pytest

from anju.devices.profile import Profile, shipped
from anju.kernel import clock
from anju.signals.decoders import ctwing, generic, onenet
from anju.town import catalogue, people
from anju.town.voices import Household, Keys

KEYS = Keys("token", "0123456789abcdef")
PROFILES = {(p["source"], p["product_id"]): Profile.of(p) for p in shipped()}
SAYS = {"sos": "sos", "motion": "motion", "door": "door_open", "phone": "sos", "gas": "vitals"}


def read(post):
    now_ms = round(clock.now().timestamp() * 1000)
    if post.channel == "ctwing":
        return ctwing.decode(post.body, PROFILES, now_ms)
    if post.channel == "onenet":
        product = catalogue.product(post.device.product).product_id
        return onenet.decode(onenet.open_push(post.body, KEYS.token, KEYS.aes_key), product, PROFILES, now_ms)
    return generic.decode_mqtt(f"anju/{post.device.product}/{post.device.imei}/up", post.body, PROFILES, now_ms)


@pytest.mark.req("DEV-04")
def test_every_product_is_understood():
    heard = {}
    for home in people.homes(60, today=clock.today()):
        for voice in Household.of(home, 1, KEYS).voices:
            what = SAYS[voice.device.kind]
            posts = [p for _ in range(8) for p in voice.say(what, at=clock.now(), count=2)]
            for post in posts[:1]:
                (report,) = read(post)
                kinds = {line[0] for line in report.lines}
                assert what in kinds or what == "vitals", (voice.device.product, kinds, report.notes)
                assert 1 <= report.vitals["battery"] <= 100
                heard.setdefault(voice.device.product, set()).update(kinds)
    assert set(heard) == {
        "cord-nb1",
        "sos-nb1",
        "sos-bin1",
        "sos-on1",
        "pir-nb1",
        "pir-on1",
        "door-nb1",
        "gas-nb1",
        "phone-4g1",
    }
    assert len({catalogue.product(code).form for code in heard}) >= 4
