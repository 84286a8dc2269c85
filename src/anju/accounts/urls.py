"""Addresses of log-in and of one's own account."""

from __future__ import annotations

from django.urls import path

from anju.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.root, name="root"),
    path("login/", views.log_in, name="login"),
    path("login/code/", views.code, name="code"),
    path("login/token/", views.token, name="token"),
    path("login/password/", views.password, name="password"),
    path("logout/", views.log_out, name="logout"),
    path("session/", views.session, name="session"),
]
