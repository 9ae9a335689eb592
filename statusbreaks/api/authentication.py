"""A token names the shop that speaks; people come with their session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from statusbreaks.conf import conf

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, as RFC 6750 has it; `request.auth` is the name that API_TOKENS gives it."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str] | None:
        scheme, _space, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        source = _source(token.strip())
        if source is None:
            raise AuthenticationFailed(_("The token is not known."))
        return AnonymousUser(), source

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="status-events"'


def _source(given: bytes) -> str | None:
    """Every token is compared, and each in constant time: how long it takes tells nothing."""
    fitting = [name for name, token in conf().api_tokens.items() if constant_time_compare(given, token) and token]
    return fitting[0] if fitting else None


class IsSource(BasePermission):
    """A known token was shown."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, str)


class MayDo(BasePermission):
    """The user has the permissions that the view's `needs` name for this method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        # A method that the view does not have is refused as such, to whomever.
        return method not in view.needs or bool(request.user and request.user.has_perms(view.needs[method]))
