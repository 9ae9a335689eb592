"""Money, rounded to the minor unit of its currency. Pure."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

# ISO 4217: all others have two decimals.
DECIMALS = {
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
}


def rounded_down(amount: Decimal, currency: str) -> Decimal:
    """To whole minor units, in the shop's favour: what is granted never exceeds what was reserved."""
    return amount.quantize(Decimal(1).scaleb(-DECIMALS.get(currency, 2)), rounding=ROUND_DOWN)
