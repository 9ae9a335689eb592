"""What every page of the shop shows."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from example_project.shop.baskets import pieces_in


def basket(request: HttpRequest) -> dict[str, Any]:
    """How many pieces lie in the basket; asked of the database only where a template shows it."""
    return {"basket_pieces": SimpleLazyObject(lambda: pieces_in(request))}
