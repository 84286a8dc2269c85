"""Django settings. What an operator may change comes from the environment; secrets come from `var/secrets.json`.

`./run` sets the environment for every process it starts (`anju.ops.environment`); tests set `ANJU_MODE=test`.
"""

from __future__ import annotations

import os
from pathlib import Path

from anju.config.backoffice import UNFOLD  # noqa: F401 - Django reads it
from anju.config.security import *  # noqa: F403 - log-in and sessions have their own page
from anju.ops.database_url import database_settings
from anju.ops.secrets import Secrets

BASE_DIR = Path(__file__).resolve().parents[3]
ANJU_MODE = os.environ.get("ANJU_MODE", "test")  # demo | production | test
ANJU_HOME = Path(os.environ.get("ANJU_HOME") or BASE_DIR / ("var/test" if ANJU_MODE == "test" else "var")).resolve()
DEMO = ANJU_MODE != "production"
INVENTED = ANJU_MODE == "test" or (DEMO and (ANJU_HOME / "demo.stamp").exists())  # the demo district was loaded here
SECRETS = Secrets.for_tests() if ANJU_MODE == "test" else Secrets.load_or_create(ANJU_HOME / "secrets.json")

SECRET_KEY = SECRETS.django
DEBUG = False
ALLOWED_HOSTS = [host.strip() for host in os.environ.get("ANJU_HOSTS", "*").split(",") if host.strip()]
HTTPS = os.environ.get("ANJU_HTTPS", "") == "1"
SECURE_SSL_REDIRECT = HTTPS
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if HTTPS and not DEMO:  # a demo's certificate comes and goes; a browser must not insist on it for a year
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # the other names of the district's domain are not ours

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "pgtrigger",
    "procrastinate.contrib.django",
    "anju.kernel",
    "anju.design",
    "anju.places",
    "anju.accounts",
    "anju.staff",
    "anju.notices",
    "anju.knowledge",
    "anju.knowledge.sop",
    "anju.elders",
    "anju.devices",
    "anju.signals",
    "anju.calls",
    "anju.calls.lines",
    "anju.calls.scripts",
    "anju.calls.recordings",
    "anju.calls.levels",
    "anju.calls.figures",
    "anju.calls.planned",
    "anju.calls.campaigns",
    "anju.alarms",
    "anju.fieldwork",
    "anju.incidents",
    "anju.supervision",
    "anju.supervision.contacts",
    "anju.portals.desk",
    "anju.portals.district",
    "anju.portals.family",
    "anju.portals.open_api",
    "anju.portals.public",
    "anju.portals.console",
    "anju.town",
    "anju.config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "anju.config.middleware.scope_of_the_user",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "anju.config.urls"
ASGI_APPLICATION = "anju.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["anju.design.templatetags.kit"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "anju.config.middleware.page_context",
            ],
        },
    }
]

DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql://anju@127.0.0.1:5499/anju")
DATABASES = {"default": database_settings(DATABASE_URL, mode=ANJU_MODE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = ANJU_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ANJU_MODE == "test"
        else "anju.config.static_files.HashedFiles",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"anju": {"level": os.environ.get("ANJU_LOG_LEVEL", "INFO")}},
}

ANJU_PLANNED_CALLS_AT_ONCE = int(
    os.environ.get("ANJU_PLANNED_CALLS_AT_ONCE", "4")
)  # robots; the other lines are for callers

# Addresses outside; empty means "not there", and the operations page says so.
ANJU_WECHAT_TOKEN = os.environ.get("ANJU_WECHAT_TOKEN", "")
ANJU_WEBHOOK_URL = os.environ.get("ANJU_WEBHOOK_URL", "")
ANJU_WEBHOOK_SECRET = os.environ.get("ANJU_WEBHOOK_SECRET", "")
ANJU_DEADMAN_URL = os.environ.get("ANJU_DEADMAN_URL", "")
ANJU_HOTLINE = os.environ.get("ANJU_HOTLINE", "")
ANJU_EXCHANGE = os.environ.get("ANJU_EXCHANGE", "")

ANJU_WEB_URL = os.environ.get("ANJU_WEB_URL", "http://127.0.0.1:8000")
ANJU_TLS_CERT = os.environ.get("ANJU_TLS_CERT", "")
ANJU_TLS_KEY = os.environ.get("ANJU_TLS_KEY", "")

# The telephone engine (anju.ops.telephone sets these for every process). Empty ANJU_ARI_URL: there is none.
ANJU_ARI_URL = os.environ.get("ANJU_ARI_URL", "")
ANJU_ARI_USER = os.environ.get("ANJU_ARI_USER", "anju")
ANJU_SIP_HOST = os.environ.get("ANJU_SIP_HOST", "127.0.0.1")
ANJU_SIP_PORT = int(os.environ.get("ANJU_SIP_PORT") or 5060)
ANJU_SIP_WS_PORT = int(os.environ.get("ANJU_SIP_WS_PORT") or 0)
ANJU_SIP_WSS_PORT = int(os.environ.get("ANJU_SIP_WSS_PORT") or 0)
ANJU_SIP_EXTERNAL = os.environ.get("ANJU_SIP_EXTERNAL", "")
ANJU_SIP_LOCAL_NETS = tuple(n.strip() for n in os.environ.get("ANJU_SIP_LOCAL_NETS", "").split(",") if n.strip())
ANJU_RTP_PORTS = os.environ.get("ANJU_RTP_PORTS", "20000-29999")
ANJU_RECORDINGS = Path(os.environ.get("ANJU_RECORDINGS") or ANJU_HOME / "recordings")
ANJU_ASTERISK_HOME = Path(os.environ.get("ANJU_ASTERISK_HOME") or ANJU_HOME / "asterisk")
ANJU_RECORDINGS_COPY = os.environ.get("ANJU_RECORDINGS_COPY", "")
"""The second storage of recordings: a folder, or s3://key:secret@host/bucket/prefix?region=…&tls=1."""
