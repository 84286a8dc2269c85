"""The back office. Its own log-in, log-out and password pages give way to the platform's."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from anju.accounts.models import User
from anju.accounts.views import log_out


def closed(request: HttpRequest) -> HttpResponse:
    """Where the admin site sends whoever it does not let in."""
    if isinstance(request.user, User):
        return render(request, "console/closed.html", status=403)
    return redirect("/login/?next=/console/")


urlpatterns = [
    path("login/", closed),
    path("logout/", log_out),
    path("password_change/", lambda _request: redirect("/login/password/")),
    path("", admin.site.urls),
]
