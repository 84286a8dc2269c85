"""Who a token stands for: every operation runs in her scope and under her name, as on the pages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar, cast, get_type_hints

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.security import HttpBearer

from anju.accounts import queries as accounts
from anju.accounts.addresses import client_address
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.kernel import audit
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import seen_by

P = ParamSpec("P")
R = TypeVar("R")


class Bearer(HttpBearer):
    """`Authorization: Bearer <token>`."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:  # noqa: ARG002 - ninja's signature
        """The user behind the token, or None."""
        return None if "\0" in token else accounts.user_by_token(token)


def user_of(request: HttpRequest) -> User:
    """The user behind the token of this request."""
    return cast("User", request.auth)  # type: ignore[attr-defined]


def actor_of(request: HttpRequest) -> Actor:
    """The same, as actions know her."""
    return accounts.actor_of(user_of(request))


def as_user(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run in the scope of the token's user; with `roles`, only for those who hold one of them."""

    def wrap(operation: Callable[P, R]) -> Callable[P, R]:
        @wraps(operation)
        def inner(*args: P.args, **kwargs: P.kwargs) -> R:
            request = cast("HttpRequest", args[0])
            user = user_of(request)
            _only(accounts.roles_of(user), roles)
            with seen_by(accounts.scope_of(user)), audit.acting(user.name, user.pk, client_address(request)):
                return operation(*args, **kwargs)

        inner.__signature__ = _spelled_out(operation)  # type: ignore[attr-defined]
        return inner

    return wrap


def _spelled_out(operation: Callable[..., object]) -> inspect.Signature:
    """The operation's signature with its annotations as types: ninja would look their names up in this module."""
    hints = get_type_hints(operation, include_extras=True)
    found = inspect.signature(operation)
    return found.replace(
        parameters=[p.replace(annotation=hints.get(n, p.annotation)) for n, p in found.parameters.items()]
    )


def _only(held: Iterable[Role], roles: Iterable[Role]) -> None:
    wanted = set(roles)
    if wanted and not wanted & set(held):
        labels = "、".join(r.label for r in Role if r in wanted)
        raise PermissionDenied(f"这个令牌的岗位不能用这一项，要{labels}的令牌。")
