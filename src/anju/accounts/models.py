"""Who may log in, which posts they hold, which machines speak for them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from anju.accounts.roles import LABELS, Role
from anju.accounts.rules import Post
from anju.kernel import clock
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.scope import OpenModel, ScopedModel


class UserManager(BaseUserManager["User"]):
    """Finds users by log-in name; accounts are made by `accounts.actions.create_user` only."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Log-in names ignore case, so that nobody gets a look-alike account."""
        return self.get(username__iexact=username or "")


class User(OpenModel, AbstractBaseUser):
    """One person with one account (SH2 唯一账号). What she may do and see comes from her postings alone."""

    scope_reason: ClassVar[str] = "log-in finds a user before anybody's scope is known; lists go through queries.users"

    username = models.CharField("用户名", max_length=40, unique=True)
    name = models.CharField("姓名", max_length=40)
    phone = EncryptedTextField("手机", blank=True)
    seat_number = models.CharField("坐席号", max_length=10, blank=True)
    is_active = models.BooleanField("启用", default=True)
    is_demo = models.BooleanField("演示账号", default=False)
    created_at = models.DateTimeField("建立时间", default=clock.now, editable=False)
    password_changed_at = models.DateTimeField("密码更改时间", null=True, blank=True, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[UserManager] = UserManager()

    held_posts: list[Post] | None = None
    """The posts as read once for this object (`accounts.queries.posts_of`); a request has its own object."""

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="one_log_in_name"),
            models.UniqueConstraint(
                fields=["seat_number"], condition=~models.Q(seat_number=""), name="one_seat_number"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Read the posts again too."""
        self.held_posts = None
        super().refresh_from_db(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """The back office is for system administrators."""
        from anju.accounts import queries

        return Role.SYSTEM_ADMIN in queries.roles_of(self)

    @property
    def is_superuser(self) -> bool:
        """Nobody is: 三员分立 leaves no place for an almighty user."""
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Django's back office asks this; the console's admin classes narrow it further."""
        return bool(perm) and self.is_active and self.is_staff

    def has_perms(self, perms: list[str], obj: Any = None) -> bool:
        """All of these."""
        return all(self.has_perm(p, obj) for p in perms)

    def has_module_perms(self, app_label: str) -> bool:
        """See `has_perm`."""
        return self.has_perm(app_label)


class Posting(ScopedModel):
    """A post that a user holds at a place until a day (that day included). An expired one gives nothing."""

    scope_place: ClassVar[str] = "place"

    user = models.ForeignKey(User, models.CASCADE, related_name="postings", verbose_name="用户")
    role = models.CharField("岗位", max_length=20, choices=[(r.value, LABELS[r]) for r in Role])
    place = models.CharField("区域代码", max_length=16, db_index=True)
    elder_id = models.BigIntegerField("老人", null=True, blank=True, help_text="家属与老人本人的岗位只看这一位")
    contact_id = models.BigIntegerField(
        "联系人", null=True, blank=True, help_text="家属的岗位来自老人档案里的哪一位联系人"
    )
    provider_id = models.BigIntegerField("服务商", null=True, blank=True)
    until = models.DateField("截止日", null=True, blank=True)
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="授权人")
    granted_at = models.DateTimeField("授权时间", default=clock.now)

    class Meta(ScopedModel.Meta):
        verbose_name = "岗位"
        verbose_name_plural = "岗位"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "place", "elder_id", "provider_id"], nulls_distinct=False, name="one_posting"
            ),
            models.UniqueConstraint(
                fields=["contact_id"], condition=models.Q(contact_id__isnull=False), name="one_account_a_contact"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.get_role_display()} {self.place}"


class PasswordTrace(OpenModel):
    """A password that was used before, as its hash: the last ones may not come back."""

    scope_reason: ClassVar[str] = "belongs to one user and is read only while she changes her password"

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    password = models.CharField(max_length=128)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at}"


class ApiToken(OpenModel):
    """A machine that speaks with the rights of a user. Only the hash is kept; the token itself is shown once."""

    scope_reason: ClassVar[str] = "a token is looked up by its hash before there is a scope"

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name="用户")
    name = models.CharField("用途", max_length=60)
    prefix = models.CharField("开头", max_length=8)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField("签发时间", default=clock.now)
    expires_at = models.DateTimeField("到期", null=True)
    last_used_at = models.DateTimeField("最近使用", null=True)
    revoked_at = models.DateTimeField("收回时间", null=True)

    class Meta:
        verbose_name = "接口令牌"
        verbose_name_plural = "接口令牌"

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}…"
