"""The e-mail channel against a real server: what it accepts, refuses, and does when it falls silent."""

import django
import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings

from statusbreaks.notifications import email as email_channel
from statusbreaks.notifications.channels import Channel
from statusbreaks.notifications.email import EmailChannel
from statusbreaks.shop.values import Customer
from statusbreaks.testing import ChannelContract, RecordingChannel
from tests.factories import MessageFactory
from tests.notifications.smtp import smtp_server

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


class TestEmailChannel(ChannelContract):
    @pytest.fixture(autouse=True)
    def _outbox(self, mailoutbox):
        self.outbox = mailoutbox

    def make_channel(self) -> Channel:
        return EmailChannel()

    def reachable(self) -> Customer:
        return Customer(email="ada@example.com")

    def arrived(self) -> list[str]:
        return [address for mail in self.outbox for address in mail.to]


class TestRecordingChannel(ChannelContract):
    @pytest.fixture(autouse=True)
    def _channel(self):
        self.channel = RecordingChannel()

    def make_channel(self) -> Channel:
        return self.channel

    def reachable(self) -> Customer:
        return Customer(email="ada@example.com")

    def arrived(self) -> list[str]:
        return [message.recipient for message in self.channel.sent]


def transport(host, port):
    if django.VERSION >= (6, 1):
        options = {"host": host, "port": port}
        return override_settings(MAILERS={"default": {"BACKEND": BACKEND, "OPTIONS": options}})
    return override_settings(EMAIL_BACKEND=BACKEND, EMAIL_HOST=host, EMAIL_PORT=port)


@pytest.fixture
def server():
    with smtp_server() as server, transport("127.0.0.1", server.port):
        yield server


def message(to="ada@example.com", **values):
    return MessageFactory.build(pk=7, recipient=to, **values)


def outcomes(*messages):
    return [
        (str(failure or "sent"), bool(failure and failure.permanent)) for _, failure in EmailChannel().send(messages)
    ]


def test_a_mail_arrives_whole(server):
    assert outcomes(message(subject="Zürich: es geht weiter", body="Grüße\n", html="<p>Grüße</p>")) == [("sent", False)]

    [arrived] = server.mails
    assert arrived["Subject"] == "Zürich: es geht weiter"
    assert arrived["To"] == "ada@example.com"
    assert arrived["From"] == settings.DEFAULT_FROM_EMAIL
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["X-Statusbreaks-Message"] == "7"
    assert arrived.get_body(["plain"]).get_content().strip() == "Grüße"
    assert arrived.get_body(["html"]).get_content().strip() == "<p>Grüße</p>"


def test_a_mail_without_html_is_plain(server):
    outcomes(message())

    assert server.mails[0].get_content_type() == "text/plain"


def test_a_batch_goes_over_one_connection(server):
    assert (
        outcomes(message("a@example.com"), message("b@example.com"), message("c@example.com")) == [("sent", False)] * 3
    )
    assert server.connections == 1
    assert len(server.mails) == 3


@pytest.mark.parametrize(
    ("word", "answer", "failure"),
    [
        ("RCPT", "550 no such user <ada@example.com>", ("refused: [550]", True)),
        ("RCPT", "450 mailbox busy", ("refused: [450]", False)),
        (".", "554 this is spam", ("554", True)),
        (".", "452 disk full", ("452", False)),
        ("MAIL", "550 not from you", ("SMTPSenderRefused 550", False)),
        ("MAIL", "451 try later", ("SMTPSenderRefused 451", False)),
        ("RCPT", "421 shutting down", ("refused: [421]", False)),
        (".", "421 shutting down", ("421", False)),
    ],
)
def test_what_the_server_says_decides_whether_to_try_again(server, word, answer, failure):
    server.answers[word] = answer

    assert outcomes(message()) == [failure]
    assert server.mails == []


def test_a_failure_holds_no_address(server):
    server.answers["RCPT"] = "550 no such user <ada@example.com>"

    [(text, _)] = outcomes(message())
    assert "ada" not in text


def test_after_a_refused_mail_the_next_one_is_sent(server):
    sent = EmailChannel().send([message("a@example.com"), message("b@example.com")])
    server.answers["RCPT"] = "550 no"
    assert next(sent)[1] is not None

    server.answers.clear()
    assert next(sent)[1] is None
    assert [mail["To"] for mail in server.mails] == ["b@example.com"]


def test_after_the_server_hung_up_the_next_mail_goes_over_a_new_connection(server):
    sent = EmailChannel().send([message("a@example.com"), message("b@example.com"), message("c@example.com")])
    server.answers["."] = "421 shutting down"
    next(sent)

    server.answers.clear()
    results = [failure is None for _, failure in sent]
    assert results[-1]
    assert server.connections == 2


def test_a_server_that_falls_silent_is_given_up(server, monkeypatch):
    monkeypatch.setattr(email_channel, "TIMEOUT", 0.2)
    server.silent_at = "MAIL"

    assert outcomes(message()) == [("SMTPServerDisconnected", False)]


def test_no_server_is_no_ones_fault_but_its_own():
    with smtp_server() as server:
        port = server.port
    with transport("127.0.0.1", port):
        assert outcomes(message(), message()) == [("ConnectionRefusedError", False)] * 2


def test_the_shops_own_timeout_is_kept(server):
    with smtp_server() as other:
        if django.VERSION >= (6, 1):
            options = {"host": "127.0.0.1", "port": other.port, "timeout": 3}
            shops_own = override_settings(MAILERS={"default": {"BACKEND": BACKEND, "OPTIONS": options}})
        else:
            shops_own = override_settings(EMAIL_TIMEOUT=3)
        with shops_own:
            assert email_channel._connection().timeout == 3


def test_other_transports_need_no_timeout():
    assert not hasattr(email_channel._connection(), "timeout")


@pytest.mark.parametrize(
    "subject", ["Hello\nBcc: eve@example.com", "Hello\r\nBcc: eve@example.com", "Hello\r\n\r\nbody"]
)
def test_a_subject_cannot_become_a_header(server, subject):
    outcomes(message(subject=subject))

    [arrived] = server.mails
    assert arrived["Bcc"] is None
    assert "\n" not in arrived["Subject"]
    assert arrived["Subject"].startswith("Hello")


@pytest.mark.parametrize("to", ["ada@example.com\nBcc: eve@example.com", "ada@example.com\r\nSubject: x"])
def test_an_address_cannot_become_a_header(server, to):
    [(text, permanent)] = outcomes(message(to))

    assert text.startswith("cannot be written as an e-mail")
    assert permanent
    assert server.mails == []
    assert EmailChannel().address(Customer(email=to)) == ""


@pytest.mark.parametrize("address", ["", "ada", "ada@", "@example.com", "ada@example.com, eve@example.com", "a b@c.de"])
def test_what_is_no_address_reaches_nobody(address):
    assert EmailChannel().address(Customer(email=address)) == ""


def test_a_batch_that_is_broken_off_closes_its_connection(monkeypatch):
    closed = []
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.close", lambda self: closed.append(1))
    sent = EmailChannel().send([message(), message()])
    next(sent)

    sent.close()

    assert closed == [1]
    assert len(mail.outbox) == 1
