"""The ASGI entry of the web process."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from anju.config.static_files import StaticFiles

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
application = StaticFiles(get_asgi_application(), settings.STATIC_ROOT, "/static/")
