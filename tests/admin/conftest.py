"""People who work in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def boss(db: Any) -> Client:
    """Somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


@pytest.fixture
def staff(db: Any) -> Callable[..., Client]:
    """A client logged in as one of the staff with just these permissions."""

    def make(*codenames: str) -> Client:
        user = User.objects.create_user(f"staff{User.objects.count()}", password="x", is_staff=True)
        permissions = Permission.objects.filter(codename__in=codenames, content_type__app_label="statusbreaks")
        assert permissions.count() == len(codenames)
        user.user_permissions.set(permissions)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def act() -> Callable[..., Any]:
    """Choose rows of a list and run an action on them, as the form of the list does."""

    def post(client: Client, table: str, action: str, *rows: Any) -> Any:
        chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
        return client.post(f"/admin/statusbreaks/{table}/", chosen, follow=True)

    return post
