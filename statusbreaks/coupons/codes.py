"""Codes that can be read aloud: 12 symbols, the last one a check symbol. Pure.

Letters and digits only, upper case, without those that look alike (0 O, 1 I); 11 free symbols are 55 bits. The check
symbol is Luhn's algorithm modulo 32 (ISO/IEC 7812-1, in the well-known generalisation to N symbols): it catches every
single wrong symbol and most swaps of neighbours, so that a slip of the tongue costs no look-up.
"""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 12


def new_code() -> str:
    free = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return free + check_symbol(free)


def check_symbol(free: str) -> str:
    total = 0
    for place, symbol in enumerate(reversed(free)):
        value = ALPHABET.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]


def normalised(typed: str) -> str:
    """As it is stored, from whatever case, spaces and dashes somebody typed."""
    return "".join(typed.upper().replace("-", " ").split())


def is_well_formed(code: str) -> bool:
    if len(code) != LENGTH or any(symbol not in ALPHABET for symbol in code):
        return False
    return check_symbol(code[:-1]) == code[-1]


def grouped(code: str) -> str:
    """For reading aloud: 7K4M-2PQX-9RTB."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))
