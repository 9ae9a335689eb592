"""What every page of the shop shows."""

from typing import Any

from django.http import HttpRequest


def basket(request: HttpRequest) -> dict[str, Any]:
    return {}
