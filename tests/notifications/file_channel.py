"""A channel that writes down whom it reached, so that it can be read after its process was killed."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from statusbreaks.notifications.channels import Channel, Outcome
from statusbreaks.notifications.models import Message
from statusbreaks.shop.values import Customer


class FileChannel(Channel):
    def address(self, customer: Customer) -> str:
        return customer.email

    def send(self, messages: Iterable[Message]) -> Iterator[Outcome]:
        path = Path(os.environ["FILE_CHANNEL"])
        for message in messages:
            with path.open("a") as file:
                file.write(f"{message.recipient}\n")
            yield message, None
