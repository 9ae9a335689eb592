"""`manage.py statusbreaks_forget CUSTOMER`: what we hold of a person goes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from statusbreaks.erasure import forget
from statusbreaks.exceptions import AmbiguousCustomer
from statusbreaks.shop.people import find_person


class Command(BaseCommand):
    help = "Removes what tells who a customer is. Figures stay. Your shop's own tables are not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "customer", metavar="CUSTOMER", help="a user's key, name or e-mail address, or a guest's address or phone"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be forgotten, and forget nothing")

    def handle(self, *args: Any, customer: str, dry_run: bool, **options: Any) -> None:
        try:
            person = find_person(customer)
        except AmbiguousCustomer as error:
            raise CommandError(str(error)) from error
        counts = forget(person, timezone.now(), keeps=not dry_run)
        for name, count in counts.items():
            self.stdout.write(f"{count:>7,} {name}")
        self.stdout.write("Nothing was changed." if dry_run or not any(counts.values()) else "Forgotten.")
