"""E-mail, over whatever Django is set up to send mail with."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from statusbreaks.exceptions import DeliveryFailed
from statusbreaks.notifications.channels import Channel, Outcome
from statusbreaks.notifications.models import Message
from statusbreaks.shop.values import Customer

TIMEOUT = 20.0  # seconds, where the shop's settings name none
_NO_TRANSPORT = (OSError, smtplib.SMTPException)


class EmailChannel(Channel):
    """One connection for a batch; each message marked as it is accepted."""

    def address(self, customer: Customer) -> str:
        try:
            validate_email(customer.email)
        except ValidationError:
            return ""
        return customer.email

    def send(self, messages: Iterable[Message]) -> Iterator[Outcome]:
        connection = _connection()
        try:
            for message in messages:
                yield message, _send(connection, message)
        finally:
            with suppress(*_NO_TRANSPORT):
                connection.close()


def _connection() -> Any:
    """Django 6.1 names its transports in MAILERS, where reading the older settings raises."""
    mailers: Any = getattr(mail, "mailers", None)
    modern = mailers is not None and getattr(settings, "MAILERS", None)
    connection: Any = mailers.default if modern else mail.get_connection()
    if getattr(connection, "timeout", 0) is None:  # Django's default: a server that falls silent holds us for ever
        connection.timeout = TIMEOUT
    return connection


def _send(connection: Any, message: Message) -> DeliveryFailed | None:
    try:
        connection.open()
        connection.send_messages([_email(message)])
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(error)
    except smtplib.SMTPDataError as error:
        return DeliveryFailed(f"{error.smtp_code}", permanent=500 <= error.smtp_code < 600)
    except _NO_TRANSPORT as error:
        # Also a wrong password or a refused sender: not this message's fault, so it waits until that is mended.
        with suppress(*_NO_TRANSPORT):
            connection.close()
        return DeliveryFailed(f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip())
    except ValueError as error:
        return DeliveryFailed(f"cannot be written as an e-mail: {type(error).__name__}", permanent=True)
    return None


def _refused(error: smtplib.SMTPRecipientsRefused) -> DeliveryFailed:
    # Only the codes: what a server says may repeat the address, and no personal data belongs in an error.
    codes = [code for code, _ in error.recipients.values()]
    return DeliveryFailed(f"refused: {codes}", permanent=all(500 <= code < 600 for code in codes))


def _email(message: Message) -> EmailMultiAlternatives:
    headers = {"Auto-Submitted": "auto-generated", "X-Statusbreaks-Message": f"{message.pk}"}
    email = EmailMultiAlternatives(
        " ".join(message.subject.split()), message.body, to=[message.recipient], headers=headers
    )
    if message.html:
        email.attach_alternative(message.html, "text/html")
    return email
