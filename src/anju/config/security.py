"""Settings of log-in and sessions (SYS-02; 等保 2.0 三级 8.1.4.1). Read with `from anju.config.security import *`."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",  # hard on memory too, and a fifth of PBKDF2's time at the desk
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "anju.accounts.passwords.Strength", "OPTIONS": {"least": 10, "kinds": 3}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "anju.accounts.passwords.NotYourself"},
    {"NAME": "anju.accounts.passwords.NotUsedBefore", "OPTIONS": {"last": 5}},
]

# Locked by name and address together: nobody can lock a colleague out from elsewhere.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["password", "code", "csrfmiddlewaretoken"]
AXES_USERNAME_CALLABLE = "anju.accounts.locks.name_tried"
AXES_CLIENT_IP_CALLABLE = "anju.accounts.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "anju.accounts.views.axes_locked"

TRUSTED_PROXIES: list[str] = [p for p in os.environ.get("ANJU_TRUSTED_PROXIES", "").split(",") if p]
ADDRESS_RANGES: dict[str, list[str]] = json.loads(os.environ.get("ANJU_ADDRESS_RANGES", "{}"))
"""Role → networks it may be used from, e.g. {"agent": ["10.61.8.0/24"]}. A role that is not named may be used anywhere."""

SESSION_IDLE = timedelta(minutes=int(os.environ.get("ANJU_IDLE_MINUTES", "30")))
SESSION_IDLE_DESK = timedelta(minutes=int(os.environ.get("ANJU_IDLE_DESK_MINUTES", "510")))
"""Agents and leads: a shift of 8½ hours. Why so long: docs/subsystems/access.md."""
SESSION_IDLE_OWN = timedelta(days=int(os.environ.get("ANJU_IDLE_OWN_DAYS", "30")))
SESSION_LONGEST_OWN = timedelta(days=int(os.environ.get("ANJU_SESSION_OWN_DAYS", "90")))
"""Families and elders who said at the log-in that the device is their own; 0 days: nobody stays longer than others (ADR 0013)."""
SESSION_LONGEST = timedelta(hours=int(os.environ.get("ANJU_SESSION_HOURS", "12")))
SESSION_COOKIE_AGE = 2 * int(SESSION_LONGEST.total_seconds())  # the limits above end sessions; somebody busy may go on
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("ANJU_HTTPS", "") == "1"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "anju.accounts.views.csrf_failed"

ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
MFA_ADAPTER = "anju.accounts.second_factor.Adapter"
MFA_TOTP_TOLERANCE = 1  # one step of 30 s either way: phones are not that exact
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

OPEN_PATHS = (
    "/login/",
    "/logout/",
    "/static/",
    "/healthz",
    "/receipts/",
    "/message/",
    "/wechat/",
    "/metrics",
    "/api/",
    "/design/",
    "/favicon.ico",
)
"""What needs no session of a user: it is public, or it checks for itself (tokens). Everything else is closed."""
OUTSIDE_PATHS = ("/family/", "/login/", "/logout/", "/session/", "/static/", "/message/", "/healthz", "/favicon.ico")
"""All that an account of a family, an elder or a volunteer may open: a page that forgets to ask is still closed to them."""
CENTRE_NAME = os.environ.get("ANJU_CENTRE_NAME", "望潮区居家守护中心")
"""Shown on the page of log-in."""
