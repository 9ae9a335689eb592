"""Which paths belong to which part of the shop."""

from __future__ import annotations

from collections.abc import Mapping

from statusbreaks.conf import conf

SITE = "site"
STOREFRONT = "storefront"
WRITES = "writes"

# These three are no lists of paths: all, all but the parts below, and all unsafe methods.
BY_RULE = (SITE, STOREFRONT, WRITES)
BY_DEFAULT: Mapping[str, tuple[str, ...]] = {
    "checkout": ("/checkout/",),
    "account": ("/account/", "/accounts/"),
    "api": ("/api/",),
}
# A shop whose front is closed still shows customers their orders and lets programs talk to each other.
BESIDE_THE_STOREFRONT = ("account", "api")


def scope_paths() -> Mapping[str, tuple[str, ...]]:
    """Path prefixes by scope: the defaults, and over them SCOPES."""
    return {**BY_DEFAULT, **conf().scopes}


def known_scopes() -> list[str]:
    return [*BY_RULE, *scope_paths()]
