"""Who lives in 望潮区. A pure function of its seed: the same people every time, in every test and on every machine.

`homes(count)` gives the first homes by hand (the two that the pages and the tour show) and the others by chance,
with the odd cases on purpose: lapsed authority, no authority, suspended service, couples, nobody with a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from anju.town import ids, land, words
from anju.town.kits import DeviceSeed, kit_for

SEED = 3301


@dataclass(frozen=True, slots=True)
class ContactSeed:
    """One person to call. `kind` as in elders; `availability` in words for hours it is not always."""

    kind: str
    name: str
    relation: str
    sex: str
    phone: str
    has_key: bool = False
    eta_minutes: int = 20
    hours: tuple[int, int] | None = None  # reachable from-to, local hours; None = what is usual for the kind
    address: str = ""


@dataclass(frozen=True, slots=True)
class ConsentSeed:
    """What was signed. `covers_rescue` = may 110/119/120 be called for her."""

    signed_on: date
    expires_on: date
    covers_rescue: bool
    meters: bool
    third_party: bool
    signed_by: str


@dataclass(frozen=True, slots=True)
class ElderSeed:
    """An invented elder with the items of the register."""

    name: str
    sex: str
    born: date
    id_number: str
    phone: str
    kind: str
    ability: str
    health: str
    illnesses: tuple[str, ...]
    chronic: tuple[str, ...]
    allergies: tuple[str, ...]
    hobbies: str
    habits: str
    self_rescue: str
    other: str
    hearing: str
    status: str  # approved | suspended
    consent: ConsentSeed | None


@dataclass(frozen=True, slots=True)
class HomeSeed:
    """A home with its people, contacts and devices. Positions are WGS-84 degrees."""

    n: int
    place: str
    community: str
    compound: str
    address: str
    building: int
    floor: int
    lift: bool
    at: land.Point
    entrance: str
    entrance_at: land.Point
    access_note: str
    key_note: str
    grid: int
    elders: tuple[ElderSeed, ...]
    contacts: tuple[ContactSeed, ...]
    devices: tuple[DeviceSeed, ...]
    meters: tuple[str, str, str] = field(default=("", "", ""))


def homes(count: int = 200, *, today: date) -> list[HomeSeed]:
    """The first `count` homes. `today` anchors ages and terms, so that the demo never grows old."""
    rng = Random(SEED)
    spots = _spots(rng)
    made = [_home(n, next(spots), Random(SEED * 1009 + n), today) for n in range(count)]
    return [_SHOWN[h.n](h, today) if h.n in _SHOWN else h for h in made]


Spot = tuple[land.Compound, land.Building, int, int, int]


def _spots(rng: Random) -> Iterator[Spot]:
    """(compound, building, unit, floor, room): every flat at most once, the shown homes first."""
    everything = [
        (compound, building, unit, floor, room)
        for compound in land.compounds()
        for building in compound.buildings
        for unit in range(1, building.units + 1)
        for floor in range(1, building.floors + 1)
        for room in (1, 2)
    ]
    first = [_find(everything, *want) for want in (("荷汀花园", 6, 2, 3, 2), ("柳塘新村", 12, 1, 5, 1))]
    rest = [spot for spot in everything if spot not in first]
    rng.shuffle(rest)
    rest = [spot for spot in rest if spot[3] <= 6 or rng.random() < 0.5]
    yield from first
    yield from rest


def _find(spots: list[Spot], compound: str, number: int, unit: int, floor: int, room: int) -> Spot:
    return next(s for s in spots if (s[0].name, s[1].number, *s[2:]) == (compound, number, unit, floor, room))


def _home(n: int, spot: Spot, rng: Random, today: date) -> HomeSeed:
    compound, building, unit, floor, room = spot
    community = next(c for c in land.COMMUNITIES if c.code == compound.community)
    couple = rng.random() < 0.08
    surname = rng.choice(words.SURNAMES)
    sexes = ("女", "男") if couple else (rng.choices("女男", (62, 38))[0],)
    elders = tuple(
        _elder(n, i, sex, surname if i == 0 else rng.choice(words.SURNAMES), rng, today, couple)
        for i, sex in enumerate(sexes)
    )
    elders = tuple(replace(e, consent=elders[0].consent, status=elders[0].status) for e in elders)  # signed together
    stair = building.stair(unit)
    grid = _staff(community.code, 3 + building.number % 3)
    return HomeSeed(
        n=n,
        place=community.code,
        community=community.name,
        compound=compound.name,
        address=f"{compound.name} {building.number} 幢 {unit} 单元 {floor}{room:02d} 室",
        building=building.number,
        floor=floor,
        lift=building.lift,
        at=land.to_degrees((stair[0] + (6 if room == 1 else -6), stair[1] + building.depth / 2)),
        entrance=land.entrance_text(compound, building),
        entrance_at=land.to_degrees(compound.ambulance_gate.at),
        access_note=rng.choice(("单元门有门禁，按物业代码", "单元门常开", "单元门锁坏，推即开", "按 101 室请邻居开门")),
        key_note=rng.choice(("网格员持备用钥匙", "备用钥匙在社区钥匙柜", "对门邻居有钥匙", "没有备用钥匙")),
        grid=1 + building.number % 3,
        elders=elders,
        contacts=tuple(_contacts(n, elders[0], community, rng, grid)),
        devices=kit_for(n, rng),
        meters=(f"S{n:08d}", f"D{n:010d}", f"R{n:08d}"),
    )


def _elder(n: int, i: int, sex: str, surname: str, rng: Random, today: date, couple: bool) -> ElderSeed:  # noqa: FBT001
    age = min(99, max(66, round(rng.gauss(81, 6))))
    born = date(today.year - age, 1, 1) + timedelta(days=rng.randrange(1, 300))
    if born > date(today.year - age, today.month, 1):
        born = born.replace(year=born.year - 1)
    woman = sex == "女"
    consent = _consent(n, rng, today)
    return ElderSeed(
        name=surname + rng.choice(words.WOMEN if woman else words.MEN),
        sex=sex,
        born=born,
        id_number=ids.identity_number(born, n * 2 + i, woman=woman),
        phone=ids.mobile(1000 + n * 2 + i),
        kind="couple" if couple else rng.choice(words.KINDS),
        ability=rng.choice(words.ABILITY),
        health=rng.choice(words.HEALTH),
        illnesses=tuple(rng.sample(words.ILLNESSES, k=rng.choices((0, 1, 2), (60, 32, 8))[0])),
        chronic=tuple(rng.sample(words.CHRONIC if not woman else words.CHRONIC[:-1], k=rng.choice((1, 1, 2, 2, 3)))),
        allergies=tuple(rng.sample(words.ALLERGIES, k=rng.choices((0, 1, 2), (66, 28, 6))[0])),
        hobbies="、".join(rng.sample(words.HOBBIES, k=2)),
        habits=rng.choice(words.HABITS),
        self_rescue=rng.choice(words.SELF_RESCUE),
        other=rng.choice(words.OTHER),
        hearing=rng.choice(words.HEARING),
        status="suspended" if n % 29 == 28 else "approved",
        consent=consent,
    )


def _consent(n: int, rng: Random, today: date) -> ConsentSeed | None:
    """Mostly valid for a year; every 17th has lapsed, every 23rd never covered rescue, every 41st is not signed."""
    if n % 41 == 40:
        return None
    signed = today - timedelta(days=rng.randrange(20, 330) if n % 17 != 16 else rng.randrange(372, 420))
    return ConsentSeed(
        signed_on=signed,
        expires_on=signed + timedelta(days=364),
        covers_rescue=n % 23 != 22,
        meters=rng.random() < 0.55,
        third_party=rng.random() < 0.4,
        signed_by=rng.choice(("本人", "本人、儿子", "本人、女儿")),
    )


def _staff(place: str, post: int) -> tuple[str, str, int]:
    """The same social worker, grid worker, property desk for all homes of a community: (name, sex, phone number seed)."""
    rng = Random(f"{place}/{post}")
    woman = rng.random() < 0.6
    name = rng.choice(words.SURNAMES) + rng.choice(words.YOUNG_WOMEN if woman else words.YOUNG_MEN)
    return name, "女" if woman else "男", 600_000 + int(place[-4:]) * 20 + post


def _contacts(
    n: int, elder: ElderSeed, community: land.Community, rng: Random, grid: tuple[str, str, int]
) -> Iterator[ContactSeed]:
    family = rng.sample(words.RELATIONS, k=rng.choices((1, 2, 3), (38, 45, 17))[0])
    for i, (relation, sex) in enumerate(family):
        own = relation in {"女儿", "儿子"} and elder.sex == "男"
        surname = elder.name[0] if own else rng.choice(words.SURNAMES)
        name = surname + rng.choice(words.YOUNG_WOMEN if sex == "女" else words.YOUNG_MEN)
        hours = (7, 23) if rng.random() < 0.2 else None
        key, eta, estate = rng.random() < 0.7, rng.choice((10, 15, 25, 40)), rng.choice(land.compounds())
        where = f"{estate.name} {rng.randrange(1, 16)} 幢 {rng.randrange(1, 4)} 单元 {rng.randrange(1, 7)}0{rng.randrange(1, 3)} 室"
        yield ContactSeed("guardian", name, relation, sex, ids.mobile(200_000 + n * 8 + i), key, eta, hours, where)
    if rng.random() < 0.35:
        sex = rng.choice("女男")
        name = rng.choice(words.SURNAMES) + rng.choice(words.WOMEN if sex == "女" else words.MEN)
        yield ContactSeed("neighbour", name, "邻居", sex, ids.mobile(200_000 + n * 8 + 6), rng.random() < 0.5, 3)
    short = community.name.removesuffix("社区")
    social, social_sex, social_seed = _staff(community.code, 1)
    second = _staff(community.code, 2)
    yield ContactSeed(
        "grid", grid[0], "网格员", grid[1], ids.mobile(grid[2]), has_key=True, eta_minutes=8, hours=(7, 22)
    )
    yield ContactSeed("grid", second[0], "网格员", second[1], ids.mobile(second[2]), eta_minutes=15, hours=(7, 22))
    yield ContactSeed(
        "social_worker", social, "社工", social_sex, ids.mobile(social_seed), eta_minutes=12, hours=(8, 18)
    )
    yield ContactSeed("property", f"{short}物业", "物业", "男", ids.landline(social_seed + 7), eta_minutes=6)
    yield ContactSeed("night_duty", f"{short}夜间值守", "值守", "男", ids.landline(social_seed + 8), eta_minutes=10)
    yield ContactSeed(
        "committee", f"{community.name}居委", "居委", "女", ids.landline(social_seed + 9), eta_minutes=15, hours=(8, 18)
    )


def _shown_he_ting(home: HomeSeed, today: date) -> HomeSeed:
    """沈玉芬: fell in the bathroom in the tour; daughter far, son nearer, the grid worker has the key."""
    elder = replace(
        home.elders[0], name="沈玉芬", sex="女", born=date(today.year - 82, 4, 26), kind="alone", status="approved",
        id_number=ids.identity_number(date(today.year - 82, 4, 26), 21, woman=True), ability="mild", health="需随访",
        illnesses=("冠心病（放过一个支架）",), chronic=("高血压 2 级", "骨质疏松"), allergies=("青霉素", "磺胺"),
        hobbies="听越剧、养花", habits="午睡约 2 小时", self_rescue="床头、马桶边拉绳", other="女儿周日来", hearing="耳背，说慢些、大声些",
        consent=ConsentSeed(
            today - timedelta(days=200), today + timedelta(days=164), covers_rescue=True, meters=True, third_party=False, signed_by="本人、儿子"
        ),
    )  # fmt: skip
    family = (
        ContactSeed(
            "guardian",
            "顾敏",
            "女儿",
            "女",
            ids.mobile(200_000),
            has_key=True,
            eta_minutes=40,
            address="江月苑 3 幢 1 单元 602 室",
        ),
        ContactSeed(
            "guardian",
            "顾建国",
            "儿子",
            "男",
            ids.mobile(200_001),
            has_key=True,
            eta_minutes=25,
            address="映月里小区 5 幢 2 单元 301 室",
        ),
    )
    others = tuple(c for c in home.contacts if c.kind not in {"guardian", "neighbour"})
    return replace(
        home,
        elders=(elder,),
        contacts=family + others,
        key_note="网格员持备用钥匙",
        access_note="单元门有门禁，按物业代码",
    )


def _shown_liu_tang(home: HomeSeed, today: date) -> HomeSeed:
    """陆秀英: the elder's page of the manual; a quiet life with a nap, a battery that gets low."""
    elder = replace(
        home.elders[0], name="陆秀英", sex="女", born=date(today.year - 79, 6, 2), kind="alone", status="approved",
        id_number=ids.identity_number(date(today.year - 79, 6, 2), 101, woman=True), ability="intact", health="平稳",
        illnesses=(), chronic=("高血压 2 级", "骨质疏松"), allergies=("头孢类",), hobbies="早市买菜、打太极", habits="午睡约 2 小时",
        self_rescue="床头、马桶边拉绳；客厅一键电话", other="周三、六女儿来；养一只猫", hearing="普通话、本地话都可",
        consent=ConsentSeed(
            today - timedelta(days=247), today + timedelta(days=117), covers_rescue=True, meters=True, third_party=False, signed_by="本人、儿子"
        ),
    )  # fmt: skip
    family = (
        ContactSeed(
            "guardian",
            "唐伟",
            "儿子",
            "男",
            ids.mobile(200_009),
            has_key=True,
            eta_minutes=25,
            address="荷汀花园 9 幢 1 单元 804 室",
        ),
        ContactSeed(
            "guardian",
            "唐莉",
            "女儿",
            "女",
            ids.mobile(200_010),
            has_key=True,
            eta_minutes=35,
            hours=(7, 23),
            address="潮音坊 2 幢 2 单元 1101 室",
        ),
    )
    others = tuple(c for c in home.contacts if c.kind not in {"guardian", "neighbour"})
    return replace(
        home,
        elders=(elder,),
        contacts=family + others,
        key_note="网格员持备用钥匙",
        devices=kit_for(home.n, Random(1), full=True),
    )


_SHOWN = {0: _shown_he_ting, 1: _shown_liu_tang}
