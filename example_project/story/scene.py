"""What the staff of the shop set up beforehand: deadlines, the plan for an outage, and a budget for goodwill."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from statusbreaks.models import AlternativeChannel, Component, CouponPolicy, Expectation, Playbook, PlaybookText

CARDS = "paywell"
QUIET = timedelta(minutes=20)
DEADLINES = (
    ("payment", "authorised", "", timedelta(hours=4)),
    ("payment", "pending", "", timedelta(days=4)),
    ("order", "processing", "", timedelta(days=2)),
    ("delivery", "handed_over", "", timedelta(days=1)),
    ("delivery", "in_transit", "", timedelta(days=14)),
)
OPENED = {
    "en": (
        "Your card payment is not confirmed yet",
        "The company that handles our card payments has a disruption. Your order is safe with us, and the money is "
        "reserved, not lost. Please do not pay again. We write as soon as there is news.",
    ),
    "de": (
        "Ihre Kartenzahlung ist noch nicht bestätigt",
        "Unser Zahlungsdienstleister hat eine Störung. Ihre Bestellung ist sicher bei uns angekommen, das Geld ist nur "
        "vorgemerkt. Bitte zahlen Sie nicht noch einmal. Wir schreiben, sobald es Neues gibt.",
    ),
    "pl": (
        "Płatność kartą nie została jeszcze potwierdzona",
        "Firma obsługująca nasze płatności kartą ma awarię. Zamówienie jest u nas bezpieczne, a kwota tylko "
        "zablokowana. Prosimy nie płacić ponownie. Napiszemy, gdy tylko będą nowe wiadomości.",
    ),
}
RESOLVED = {
    "en": (
        "Your payment is confirmed",
        "Card payments work again, and your order goes on as planned. We are sorry for the wait.",
    ),
    "de": (
        "Ihre Zahlung ist bestätigt",
        "Kartenzahlungen funktionieren wieder, Ihre Bestellung geht ihren Gang. Bitte entschuldigen Sie die Wartezeit.",
    ),
    "pl": (
        "Płatność została potwierdzona",
        "Płatności kartą znów działają, a zamówienie jest realizowane. Przepraszamy za zwłokę.",
    ),
}
IDENTIFIED = {
    "en": (
        "The cause is found",
        "The payment company has found the fault and is mending it. You need not do anything.",
    ),
    "de": (
        "Die Ursache ist gefunden",
        "Der Zahlungsdienstleister hat den Fehler gefunden und behebt ihn. Sie müssen nichts tun.",
    ),
    "pl": (
        "Przyczyna jest znana",
        "Operator płatności znalazł usterkę i ją usuwa. Nie trzeba nic robić.",
    ),
}
CHANNELS = (
    ("phone", "Order by phone", "+48 42 555 01 00", "Mo-Fr 08:00-20:00; Sa-Su 10:00-20:00", "Cash or transfer"),
    ("email", "Order by e-mail", "orders@example.com", "", "Tell us what, and we answer with the total"),
    ("marketplace", "Our goods at the market hall", "https://market.example.com/kettle-and-thread", "24/7", ""),
)


def set_up() -> Playbook:
    """All of it; returns the plan for card payments."""
    for flow, after, segment, within in DEADLINES:
        Expectation.objects.create(flow=flow, after=after, segment=segment, within=within)
    for position, (kind, label, target, hours, note) in enumerate(CHANNELS):
        AlternativeChannel.objects.create(
            kind=kind, label=label, target=target, hours=hours, note=note, position=position
        )
    playbook = _plan()
    CouponPolicy.objects.create(
        name="Five euros for the wait",
        playbook=playbook,
        value=Decimal(5),
        minimum_order=Decimal(15),
        budget=Decimal(100),
    )
    return playbook


def _plan() -> Playbook:
    playbook = Playbook.objects.create(
        name="Card payments stand still",
        flow="payment",
        segment=CARDS,
        impact="major",
        publishes=True,
        closes=["checkout"],
        resolves_after=QUIET,
        asks_after=timedelta(hours=20),
    )
    for event, texts in (("opened", OPENED), ("resolved", RESOLVED)):
        for language, (headline, body) in texts.items():
            PlaybookText.objects.create(playbook=playbook, event=event, language=language, headline=headline, body=body)
    playbook.components.set([_component("Card payments", 1), _component("Checkout", 0)])
    _component("Delivery", 2)
    return playbook


def _component(name: str, position: int) -> Component:
    return Component.objects.create(name=name, slug=name.lower().replace(" ", "-"), position=position)
