"""What may be done to accounts and posts: the only writers.

三员分立: the system administrator makes accounts, the security administrator gives and takes posts and unlocks, the audit
administrator reads the audit; one person holds at most one of the three.
"""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from anju.accounts import locks, queries, rules, second_factor
from anju.accounts.models import ApiToken, PasswordTrace, Posting, User
from anju.accounts.passwords import one_time_password
from anju.accounts.permissions import PLATFORM, must
from anju.accounts.roles import Role
from anju.accounts.rules import Post
from anju.kernel import audit, clock
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, OutOfScope, Scope, seen_by
from anju.places import queries as places

TRACES_KEPT = 5
TOKEN_DAYS = 365
SEAT = re.compile(r"[0-9]{2,8}")
"""A seat's number is the extension of its telephone, and the engine knows only figures."""


class NotAccepted(ValueError):
    """The input cannot be used as it is; the message is Chinese and says what to mend."""


@transaction.atomic
def create_user(
    *, username: str, name: str, password: str, by: Actor, phone: str = "", seat_number: str = "", is_demo: bool = False
) -> User:
    """A new account, without any post. A person must change the password at her first log-in; a demo account need not."""
    must(by, "user.create")
    username, name = username.strip().lower(), name.strip()
    if is_demo and not settings.DEMO:
        raise NotAccepted("正式环境不能建演示账号")
    if not username.isascii() or not username.replace("_", "").replace(".", "").replace("-", "").isalnum():
        raise NotAccepted("用户名只能用字母、数字和 . _ -，例如 zhou.xl")
    if not name:
        raise NotAccepted("请填姓名，一人一个账号")
    seat_number = seat_number.strip()
    if seat_number and not SEAT.fullmatch(seat_number):
        raise NotAccepted("坐席号就是话机的分机号，只能是 2 到 8 位数字，例如 1017；不接电话的人留空")
    user = User(username=username, name=name, phone=phone, seat_number=seat_number, is_demo=is_demo)
    if not is_demo:
        _validate(password, user)
    user.set_password(password)
    user.password_changed_at = clock.now() if is_demo else None
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        taken = "坐席号" if "seat_number" in str(error) else "用户名"
        raise NotAccepted(f"这个{taken}已有人用，请换一个") from None
    audit.record("user.create", subject="user", subject_id=user.pk, detail={"username": username, "demo": is_demo})
    return user


@transaction.atomic
def switch(*, user: User, active: bool, reason: str, by: Actor) -> None:
    """Switch an account off (leaver, long absence) or on again. Off ends her sessions and tokens at once."""
    must(by, "user.switch")
    if not reason.strip():
        raise NotAccepted("请写停用或启用的原因")
    if user.pk == by.user_id:
        raise NotAccepted("不能停用自己的账号，请另一位系统管理员来做")
    user.is_active = active
    user.save(update_fields=["is_active"])
    if not active:
        end_sessions(user)
        ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=clock.now())
    audit.record("user.on" if active else "user.off", subject="user", subject_id=user.pk, reason=reason)


@transaction.atomic
def set_password(*, user: User, password: str, by: Actor) -> None:
    """A new password. Set by herself it holds for 90 days; set by an administrator it must be changed at once."""
    own = by.user_id == user.pk
    if not own:
        must(by, "user.reset_password")
    _validate(password, user)
    PasswordTrace.objects.create(user=user, password=user.password)
    kept = PasswordTrace.objects.filter(user=user).values_list("pk", flat=True)[:TRACES_KEPT]
    PasswordTrace.objects.filter(user=user).exclude(pk__in=list(kept)).delete()
    user.set_password(password)
    user.password_changed_at = clock.now() if own else None
    user.save(update_fields=["password", "password_changed_at"])
    if not own:
        end_sessions(user)
    audit.record("user.password" if own else "user.password_reset", subject="user", subject_id=user.pk)


def grant(
    *,
    user: User,
    role: Role | str,
    place: str,
    by: Actor,
    until: date | None = None,
    elder_id: int | None = None,
    provider_id: int | None = None,
    contact_id: int | None = None,
) -> Posting:
    """Give a post at a place, until a day (included). Only the security administrator, inside her own reach, never herself."""
    must(by, "user.grant")
    role = Role(role)
    if by.user_id is not None and by.user_id == user.pk:
        raise NotAccepted("不能给自己授权，请另一位安全管理员来做")
    if gap := rules.lacking(Post(role, place, elder_id, provider_id)):
        raise NotAccepted(gap)
    if not places.exists(place):
        raise NotAccepted(f"没有区域 {place}，请从列表里选")
    if until is not None and until < clock.today():
        raise NotAccepted("截止日已过，请改到今天或以后")
    reach = _reach(by, place)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        held = {Role(r) for r in Posting.unscoped.filter(user=user).values_list("role", flat=True)}
        clash = rules.conflict(held, role)
        posting = None
        if not clash:
            with seen_by(reach):
                posting, _ = Posting.objects.update_or_create(
                    user=user,
                    role=role,
                    place=place,
                    elder_id=elder_id,
                    provider_id=provider_id,
                    defaults={
                        "until": until, "contact_id": contact_id, "granted_by_id": by.user_id, "granted_at": clock.now(),
                    },
                )  # fmt: skip
            user.held_posts = None
        audit.record(
            "user.grant",
            subject="user",
            subject_id=user.pk,
            place=place[:12],
            result="denied" if clash else "ok",
            detail={"role": role.value, "place": place, "until": until.isoformat() if until else None},
        )
    if posting is None:
        raise NotAccepted(clash)
    return posting


@transaction.atomic
def revoke(*, posting_id: int, by: Actor) -> None:
    """Take a post back."""
    must(by, "user.revoke")
    posting = Posting.unscoped.select_related("user").get(pk=posting_id)
    if by.user_id is not None and by.user_id == posting.user_id:
        raise NotAccepted("不能收回自己的岗位，请另一位安全管理员来做")
    with seen_by(_reach(by, posting.place)):
        posting.delete()
    posting.user.held_posts = None
    audit.record(
        "user.revoke",
        subject="user",
        subject_id=posting.user_id,
        place=posting.place[:12],
        detail={"role": posting.role, "place": posting.place},
    )


def unlock(*, user: User, by: Actor) -> int:
    """Let somebody try again who typed too many wrong passwords."""
    must(by, "user.unlock")
    count = locks.release(user.username)
    audit.record("user.unlock", subject="user", subject_id=user.pk, detail={"rows": count})
    return count


@transaction.atomic
def forget_second_factor(*, user: User, reason: str, by: Actor) -> None:
    """The token is lost: she enrols a new one at her next log-in."""
    must(by, "user.forget_second_factor")
    if not reason.strip():
        raise NotAccepted("请写原因，例如令牌遗失")
    if user.pk == by.user_id:
        raise NotAccepted("不能重置自己的令牌，请另一位安全管理员来做")
    second_factor.forget(user)
    end_sessions(user)
    audit.record("user.forget_second_factor", subject="user", subject_id=user.pk, reason=reason)


@transaction.atomic
def issue_token(
    *, user: User, name: str, by: Actor, expires_at: datetime | None = None, secret: str = ""
) -> tuple[ApiToken, str]:
    """A token for a machine with the rights of `user`; the text is given once and never again. Holds a year by default.

    `secret` is for the platform's own set-up, which keeps the token in its secrets file.
    """
    must(by, "token.issue")
    if PLATFORM not in by.roles:
        _may_speak_for(by, user, secret)
    text = secret or f"anju_{secrets.token_urlsafe(32)}"
    token, _ = ApiToken.objects.update_or_create(
        digest=queries.digest_of(text),
        defaults={
            "user": user,
            "name": name,
            "prefix": text[:8],
            "created_at": clock.now(),
            "revoked_at": None,
            "expires_at": expires_at or clock.now() + timedelta(days=TOKEN_DAYS),
        },
    )
    audit.record("token.issue", subject="user", subject_id=user.pk, detail={"token": token.pk, "name": name})
    return token, text


@transaction.atomic
def revoke_token(*, token_id: int, by: Actor) -> None:
    """Take a token back."""
    must(by, "token.revoke")
    token = ApiToken.objects.select_for_update().get(pk=token_id)
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    audit.record("token.revoke", subject="user", subject_id=token.user_id, detail={"token": token.pk})


@transaction.atomic
def forget_person(*, elder_id: int, by: Actor) -> int:
    """Her data are deleted: posts that reach her as elder or family end; who had no other post loses name and number too."""
    must(by, "elder.erase")
    posts = Posting.objects.filter(elder_id=elder_id)
    users = list(User.objects.select_for_update().filter(pk__in=posts.values("user")))
    gone = posts.delete()[0]
    for user in users:
        audit.record("user.forget", subject="user", subject_id=user.pk, detail={"posts": gone})
        if not Posting.objects.filter(user=user).exists():
            user.username, user.name, user.phone, user.is_active = f"gone-{user.pk}", "已删除", "", False
            user.set_unusable_password()
            user.save()
        end_sessions(user)
    return gone


# ---- families: whoever keeps an elder's file opens their accounts; ADR 0013 says why no administrator does


@transaction.atomic
def open_family(
    *, name: str, elder_id: int, contact_id: int, place: str, by: Actor, username: str = ""
) -> tuple[User, str]:
    """The account of one contact of one elder, and the one-time password of a new one. `username`: an account she has already.

    The caller has found elder and contact in its own scope, and a consent that covers it.
    """
    must(by, "family.open")
    platform, password = _in_the_name_of(by), ""
    if username:
        user = User.objects.filter(username=username.strip().lower(), is_active=True).first()
        if user is None or queries.roles_of(user) != {Role.FAMILY}:
            raise NotAccepted("没有这个家属账号，请核对用户名")
    else:
        password = one_time_password()
        user = create_user(username=_unused_name(), name=name, password=password, by=platform)
    grant(user=user, role=Role.FAMILY, place=place, elder_id=elder_id, contact_id=contact_id, by=platform)
    return user, password


@transaction.atomic
def renew_family(*, contact_id: int, by: Actor) -> tuple[User, str]:
    """She has forgotten her password: a new one-time password. Her sessions end, and she may try again at once."""
    must(by, "family.open")
    user, password = _family_post(contact_id).user, one_time_password()
    set_password(user=user, password=password, by=_in_the_name_of(by))
    locks.release(user.username)
    return user, password


@transaction.atomic
def close_family(*, contact_id: int, reason: str, by: Actor) -> None:
    """This contact no longer sees this elder; an account that sees nobody any more is switched off."""
    must(by, "family.open")
    post, platform = _family_post(contact_id), _in_the_name_of(by)
    revoke(posting_id=post.pk, by=platform)
    if not Posting.unscoped.filter(user=post.user_id).exists():
        switch(user=post.user, active=False, reason=reason, by=platform)
        post.user.name = "家属（已停用）"
        post.user.set_unusable_password()
        post.user.save(update_fields=["name", "password"])


def _family_post(contact_id: int) -> Posting:
    found = Posting.unscoped.filter(contact_id=contact_id, role=Role.FAMILY).select_related("user").first()
    if found is None:
        raise NotAccepted("这位联系人没有家属账号")
    return found


def _in_the_name_of(by: Actor) -> Actor:
    """The platform acts, and the books name who asked it to."""
    return Actor(by.name, frozenset({PLATFORM}), user_id=by.user_id)


def _unused_name() -> str:
    """Short enough to be told on the telephone; it says nothing about the person."""
    while User.objects.filter(username=(name := f"jia{secrets.randbelow(900_000) + 100_000}")).exists():
        pass
    return name


def end_sessions(user: User) -> int:
    """End every session of a user, on every machine."""
    ended = 0
    for session in Session.objects.filter(expire_date__gte=clock.now()):
        if str(session.get_decoded().get("_auth_user_id")) == str(user.pk):
            session.delete()
            ended += 1
    return ended


def _validate(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as faults:
        raise NotAccepted("；".join(faults.messages)) from None


def _may_speak_for(by: Actor, user: User, secret: str) -> None:
    """A token lends a user's rights: never one's own or another administrator's, and only inside one's reach."""
    if secret:
        raise PermissionDenied("令牌由平台生成，不能自定")
    if by.user_id == user.pk or queries.roles_of(user) & rules.ADMINISTRATORS:
        raise NotAccepted("令牌只发给对接系统的专用账号，不能发给自己或管理员")
    if not queries.posts_of(user):
        raise NotAccepted("这个账号还没有岗位，请先授岗位再发令牌")
    for post in queries.posts_of(user):
        _reach(by, post.place)


def _reach(by: Actor, place: str) -> Scope:
    """Where the actor may give posts; the platform itself everywhere."""
    if PLATFORM in by.roles:
        return EVERYWHERE
    giver = queries.user(by.user_id) if by.user_id else None
    reach = queries.reach_of(giver) if giver else Scope()
    if not reach.covers(places.prefix_of(place)):
        raise OutOfScope(f"{places.name_of(place)}不在您管理的区域内，请找上级安全管理员")
    return reach
