"""Numbers that name a person: the resident ID number (GB 11643) and Chinese telephone numbers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import phonenumbers
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent


class BadNumber(ValueError):
    """The number cannot be right; the message is Chinese and says what to mend."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an ID number says by itself."""

    number: str
    birth_date: date
    sex: str


def identity_of(text: str, *, today: date) -> Identity:
    """Check an ID number and read birth date and sex from it. The check digit may be `x` or `X`.

    The first six digits are not looked up: places that issued numbers decades ago are in no table, and a person is not
    refused for that.
    """
    number = "".join(text.split()).upper().replace("－", "-").replace("-", "")
    if len(number) != 18:
        short = 18 - len(number)
        raise BadNumber(f"身份证号{'少' if short > 0 else '多'} {abs(short)} 位，应为 18 位")
    if not (number[:17].isascii() and number[:17].isdigit()) or number[17] not in "0123456789X":
        raise BadNumber("身份证号前 17 位只能是数字，末位可以是 X")
    try:
        born = ric.get_birth_date(number)
    except InvalidComponent:
        raise BadNumber("身份证号里的出生日期不存在，请核对第 7 至 14 位") from None
    if ric.calc_check_digit(number) != number[17]:
        raise BadNumber("身份证号末位校验不对，请逐位核对")
    if born > today:
        raise BadNumber("身份证号里的出生日期还没到，请核对第 7 至 14 位")
    return Identity(number, born, "男" if int(number[16]) % 2 else "女")


def phone_of(text: str) -> str:
    """A Chinese number in one spelling: `13800000000`, `057110006110`, `4008001234`, `12349`; an extension after a comma.

    Raises `BadNumber`.
    """
    if re.fullmatch(r"(12|95|96)[0-9]{3,4}", text.strip()):
        return text.strip()  # public service numbers have no area
    main, extension = _EXTENSION.fullmatch(text.strip()).groups()  # type: ignore[union-attr]  # everything fits
    found = _national(main)
    if found is None and extension is None and (tail := re.fullmatch(r"(.+)-([0-9]{1,5})", main)):
        found, extension = _national(tail[1]), tail[2]
    if found is None:
        raise BadNumber(_what_is_wrong(main))
    return f"{found},{extension}" if extension else found


_EXTENSION = re.compile(r"(.*?)(?:(?:转|分机|,|，|ext\.?)\s*([0-9]{1,6}))?", re.DOTALL)


INVENTED = re.compile(r"1440[0-9]{7}")
"""Mobile numbers of invented people (demo, tests): the segment is for machines and has 13 digits, so nobody has one of 11."""


def _national(text: str) -> str | None:
    bare_digits = re.sub(r"[^0-9]", "", text).removeprefix("86")
    if INVENTED.fullmatch(bare_digits):
        return bare_digits
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    digits = phonenumbers.national_significant_number(number)
    if number.country_code != 86 or not phonenumbers.is_valid_number(number):
        return None
    bare = (len(digits) == 11 and digits.startswith("1")) or digits.startswith(("400", "800"))
    return digits if bare else f"0{digits}"


def _what_is_wrong(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text).removeprefix("86")
    if not digits:
        return "电话号码看不懂，手机填 11 位，座机要带区号"
    if text.strip().startswith(("+", "00")) and not re.match(r"(\+|00)\s*86", text.strip()):
        return "只能填中国大陆的电话号码"
    short = 11 - len(digits)
    if digits.startswith("1") and short:
        return f"手机号{'少' if short > 0 else '多'} {abs(short)} 位，应为 11 位"
    return "电话号码不对，手机填 11 位，座机要带区号"


def initials_of(name: str) -> str:
    """First letters of the pinyin of a name, lower case: 周晓岚 → zxl."""
    from pypinyin import Style, pinyin  # its dictionary takes a tenth of every process's start

    return "".join(p[0] for p in pinyin(name, style=Style.FIRST_LETTER, errors="ignore")).lower()


def age_on(born: date, day: date) -> int:
    """Full years (周岁)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
