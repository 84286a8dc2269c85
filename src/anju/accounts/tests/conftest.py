import pytest


@pytest.fixture(autouse=True)
def _fast_hashes(settings):
    """A slow hash is right for people and wrong for tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
