"""What a customer, a shop or a text may hold, and what it must not do to a mail."""

import smtplib
from email import message_from_bytes

import pytest
from django.core import mail

from statusbreaks.incidents.services import Draft, post_update
from statusbreaks.notifications.channels import channel
from statusbreaks.notifications.email import EmailChannel
from statusbreaks.notifications.models import Message
from statusbreaks.notifications.services import announce, deliver
from statusbreaks.shop.values import Customer
from tests.factories import NOW, AffectedOrderFactory, IncidentFactory, MessageFactory, ReportedOrderFactory

pytestmark = pytest.mark.django_db

INJECTED = "All well\r\nBcc: everyone@example.com\n\nhello"


def told(headline="News", body="All is well.", **order):
    """Write to one customer, whose order holds `order`."""
    reported = ReportedOrderFactory(**order)
    incident = IncidentFactory()
    AffectedOrderFactory(incident=incident, order_key=reported.order_key, order_number=reported.order_number)
    post_update(incident, Draft({"en": (headline, body)}), at=NOW)
    announce(NOW)
    deliver(NOW)


@pytest.mark.parametrize("where", [{"headline": INJECTED}, {"order_number": INJECTED}, {"name": INJECTED}])
def test_a_line_break_makes_no_header(mailoutbox, where):
    told(**where)

    [sent] = mailoutbox
    read = message_from_bytes(sent.message().as_bytes())
    assert read["Bcc"] is None
    assert sent.recipients() == [Message.objects.get().recipient]
    assert sent.subject.splitlines() == [sent.subject]


@pytest.mark.parametrize(
    "address",
    ["ada@example.com\nBcc: everyone@example.com", "ada@example.com, ben@example.com", "Ada <ada@example.com>", "ada"],
)
def test_what_is_not_one_address_is_written_to_by_nobody(address):
    assert channel("email").address(Customer(email=address)) == ""


def test_names_and_texts_are_no_markup(mailoutbox):
    told(headline="<b>News</b>", body="<img src=x>", name="<script>alert(1)</script>", order_number='"><i>')

    html = mailoutbox[0].alternatives[0][0]
    assert [markup for markup in ("<script>alert", "<img src=x", "<b>News", '"><i>') if markup in html] == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_template_code_in_a_text_is_not_run(mailoutbox):
    told(headline="{{ customer.email }}", body="{% now 'Y' %}")

    assert "{{ customer.email }}" in mailoutbox[0].subject
    assert "{% now 'Y' %}" in mailoutbox[0].body


class Refusing:
    """A mail server that repeats the address in its refusal, as they do."""

    def __init__(self, error):
        self.error = error

    def open(self):
        return True

    def close(self):
        pass

    def send_messages(self, _messages):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"ada@example.com": (550, b"no user ada@example.com")}),
        smtplib.SMTPDataError(554, b"ada@example.com is not wanted"),
        smtplib.SMTPServerDisconnected("while talking of ada@example.com"),
        OSError("ada@example.com"),
    ],
)
def test_a_refusal_is_kept_without_the_address(monkeypatch, caplog, error):
    MessageFactory(recipient="ada@example.com")
    monkeypatch.setattr("statusbreaks.notifications.email._connection", lambda: Refusing(error))

    deliver(NOW)

    kept = Message.objects.get().error
    assert kept
    assert "ada@example.com" not in kept
    assert "ada@example.com" not in caplog.text


def test_a_message_says_that_a_machine_wrote_it(mailoutbox):
    MessageFactory()

    deliver(NOW)

    assert mailoutbox[0].extra_headers["Auto-Submitted"] == "auto-generated"
    assert isinstance(channel("email"), EmailChannel)
    assert mail.outbox == mailoutbox
