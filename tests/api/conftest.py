"""A client that speaks JSON, and people with permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from rest_framework.test import APIClient

Speaks = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def _nobody_is_throttled_for_what_another_test_did() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def anyone() -> APIClient:
    return APIClient()


@pytest.fixture
def staff(db: Any) -> Speaks:
    """A client logged in as somebody with just these permissions."""

    def make(*codenames: str) -> APIClient:
        user = User.objects.create_user(f"user{User.objects.count()}", password="x")
        permissions = Permission.objects.filter(codename__in=codenames, content_type__app_label="statusbreaks")
        assert permissions.count() == len(codenames)
        user.user_permissions.set(permissions)
        client = APIClient()
        client.force_login(user)
        return client

    return make
