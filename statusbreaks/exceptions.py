"""What can go wrong, each with a sentence that says what was expected."""

from __future__ import annotations


class StatusBreaksError(Exception):
    """The base of all errors that this app raises on purpose."""


class InvalidTransition(StatusBreaksError):
    """A status may not move like that, or somebody else moved it first."""


class DeliveryFailed(StatusBreaksError):
    """A channel did not take a message. `permanent` says that trying again is of no use."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class CouponRefused(StatusBreaksError):
    """A coupon cannot be used; `str()` is a sentence for the shopper, `code` a word for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BudgetExhausted(StatusBreaksError):
    """A campaign has no money left for another grant."""


class AmbiguousCustomer(StatusBreaksError):
    """What was said fits more than one person."""


class PluginError(StatusBreaksError):
    """A dotted path in the settings does not lead to a usable class."""


class StateUnreadable(StatusBreaksError):
    """A file that should hold the shop's state cannot be read, or holds something else."""


class PageRefused(StatusBreaksError):
    """A closed page that would not help a shopper: too large, with something from elsewhere, or incomplete."""


class ShopStateError(StatusBreaksError):
    """The shop cannot be closed or opened as asked; the sentence says why and what to do."""
