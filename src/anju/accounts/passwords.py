"""What a password must be. Used by Django's validation; every refusal says what to do."""

from __future__ import annotations

import string
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.crypto import get_random_string

from anju.accounts.models import PasswordTrace, User


class Strength:
    """Long enough, and of several kinds of characters; no character or run that is repeated for show."""

    def __init__(self, least: int = 10, kinds: int = 3) -> None:
        self.least, self.kinds = least, kinds

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002 - Django's signature
        """Raise ValidationError with everything that is missing."""
        faults = []
        if len(password) < self.least:
            faults.append(f"密码少 {self.least - len(password)} 位，至少 {self.least} 位")
        if len(password) > 128:
            faults.append("密码太长，最多 128 位")
        kinds = [
            any(c.islower() for c in password),
            any(c.isupper() for c in password),
            any(c.isdigit() for c in password),
            any(not c.isalnum() for c in password),
        ]
        if sum(kinds) < self.kinds:
            faults.append(f"小写字母、大写字母、数字、符号，至少要有 {self.kinds} 种，现在有 {sum(kinds)} 种")
        if len(set(password)) < 6:
            faults.append("重复的字太多，至少要有 6 个不同的字")
        if faults:
            raise ValidationError(faults)

    def get_help_text(self) -> str:
        """One line for the form."""
        return f"至少 {self.least} 位；小写字母、大写字母、数字、符号中至少 {self.kinds} 种"


class NotYourself:
    """No log-in name, seat number, or phone number inside."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when the password gives the user away."""
        if not isinstance(user, User):
            return
        known = [user.username, user.seat_number, user.phone, user.phone[-8:] if user.phone else ""]
        if any(len(k) >= 4 and k.lower() in password.lower() for k in known):
            raise ValidationError("密码里不要有用户名、坐席号或手机号，请换一个")

    def get_help_text(self) -> str:
        """One line for the form."""
        return "不要有用户名、坐席号或手机号"


class NotUsedBefore:
    """Neither the password of now nor one of the last few."""

    def __init__(self, last: int = 5) -> None:
        self.last = last

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when it was used before."""
        if not isinstance(user, User) or user.pk is None:
            return
        traces = PasswordTrace.objects.filter(user=user)[: self.last]
        old = [user.password, *(t.password for t in traces)]
        if any(check_password(password, encoded) for encoded in old if encoded):
            raise ValidationError(f"不能用最近 {self.last} 次用过的密码，请换一个")

    def get_help_text(self) -> str:
        """One line for the form."""
        return f"不能与最近 {self.last} 次相同"


def one_time_password() -> str:
    """A password that an administrator hands over; it opens nothing but the page to choose one's own."""
    letters = get_random_string(10, "abcdefghjkmnpqrstuvwxyz" + "ABCDEFGHJKLMNPQRSTUVWXYZ")
    return f"{letters}{get_random_string(3, string.digits[2:])}-{get_random_string(1, 'abcdefgh')}{get_random_string(1, 'ABCDEFGH')}"
