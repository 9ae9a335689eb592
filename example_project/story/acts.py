"""The acts, in their order. Each does something in the shop, looks at what came of it, and only then tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from example_project.providers.models import Provider
from example_project.shop.models import Order
from example_project.story import scene
from example_project.story.telling import Teller, long, plural, promise
from example_project.story.world import World, choose, visitor_client
from statusbreaks.incidents.services import Draft, post_update
from statusbreaks.maintenance.models import Closing
from statusbreaks.maintenance.store import reader
from statusbreaks.models import Alarm, Incident, Message

ZOFIA = {
    "email": "zofia.nowak@example.com",
    "phone": "",
    "language": "en",
    "accepts_marketing": "on",
    "name": "Zofia Nowak",
    "street": "ul. Herbaciana 7",
    "postcode": "90-001",
    "city": "Łódź",
    "country": "PL",
    "carrier": "swift",
    "payment_method": "card",
}


@dataclass
class Story:
    """What the acts hand on to each other."""

    teller: Teller
    world: World
    staff: User
    customer: User
    browser: Client = field(default_factory=visitor_client)  # hers
    failing_since: datetime = field(default_factory=timezone.now)
    told_at: datetime = field(default_factory=timezone.now)

    @property
    def incident(self) -> Incident:
        return Incident.objects.get(flow="payment", segment=scene.CARDS)

    @property
    def provider(self) -> Provider:
        return Provider.objects.get(code=scene.CARDS)

    @property
    def hers(self) -> Order:
        """The order of hers that was interrupted."""
        return Order.objects.get(user=self.customer, placed_at__gte=self.failing_since, coupon_code="")

    def letters(self, topic: str) -> list[Message]:
        """What was sent under this topic."""
        return list(Message.objects.filter(topic__startswith=topic, status=Message.Status.SENT))

    def letter_to_her(self, topic: str) -> Message:
        mine = [letter for letter in self.letters(topic) if letter.recipient == self.customer.email]
        promise(mine, f"{self.customer.email} got no letter about {topic}")
        return mine[-1]


def link(path: str) -> str:
    return settings.BASE_URL.rstrip("/") + path


def a_normal_afternoon(story: Story) -> None:
    teller, began = story.teller, timezone.now()
    teller.chapter("A normal afternoon")
    teller.tell("Shoppers come and buy. Every order goes through the shop's own checkout code.")
    story.world.live(story.failing_since, timedelta(minutes=10))
    orders = Order.objects.filter(placed_at__gte=began)
    paid = [order for order in orders.filter(payment_provider=scene.CARDS) if order.paid_at]
    promise(paid, "no card payment was confirmed in a normal afternoon")
    waits = [(order.paid_at - order.placed_at).total_seconds() for order in paid if order.paid_at]
    teller.tell(
        f"{plural(len(orders), 'order')} so far, {len(paid)} of them paid by card; the provider confirms a card "
        f"payment after {long(timedelta(seconds=median(waits)))} as a rule. No alarm, no incident.",
    )
    promise(not Incident.objects.exists(), "an incident opened while all was well")


def the_provider_falls_silent(story: Story) -> None:
    teller = story.teller
    teller.chapter("Card payments stop being confirmed")
    story.provider.switch(Provider.Mode.STALL, timezone.now())
    teller.tell(f"{story.provider.name} answers nothing any more. Nobody is told; orders keep coming.", "bad")
    story.world.live(story.failing_since + timedelta(minutes=17))
    order = zofia_buys(story)
    teller.tell(f"Zofia Nowak buys for {order.total} EUR by card, order {order.number}: authorised, and then nothing.")
    teller.add(link(order.signed_path()), "link")


def zofia_buys(story: Story, coupon: str = "") -> Order:
    choose(story.browser, story.world.shelf[0], 2)
    answer = story.browser.post("/checkout/", {**ZOFIA, "coupon": coupon})
    promise(answer.status_code == 302, f"the checkout answered {answer.status_code} to an order")
    order = Order.objects.filter(user=story.customer).latest("placed_at")
    promise(order.coupon_code == coupon, "the order is not the one that was placed now")
    return order


def the_app_notices(story: Story) -> None:
    teller, limit = story.teller, story.failing_since + scene.DEADLINES[0][-1]
    teller.chapter("The app notices")
    alarms = Alarm.objects.open().filter(flow="payment", segment=scene.CARDS)
    while not alarms.exists() and timezone.now() < limit:
        story.world.live(timezone.now() + timedelta(minutes=5))
    alarm = alarms.first()
    promise(alarm, "no alarm rang before the first deadline passed")
    assert alarm is not None
    after = timezone.now() - story.failing_since
    teller.tell(f"ALARM, {long(after)} after the first silence, from the flow alone:", "bad")
    teller.add(alarm.sentence, "")
    teller.add(f"The deadline of {long(scene.DEADLINES[0][-1])} for a single order would have rung at {local(limit)}.")
    incident = story.incident
    promise(alarm in incident.alarms.all(), "the incident is not about this alarm")
    count = incident.affected.count()
    promise(story.hers.number in numbers(incident), "the interrupted order did not join the incident")
    teller.tell(f"Incident {incident.reference} opens by itself: {incident.title}. {plural(count, 'order')} concerned.")
    for merged in Incident.objects.filter(status=Incident.Status.MERGED):
        teller.add(f"{merged.reference} “{merged.title}” is the same thing seen from another side: merged into it.")
    teller.add(in_admin(incident), "link")


def numbers(incident: Incident) -> set[str]:
    return set(incident.affected.values_list("order_number", flat=True))


def local(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def in_admin(incident: Incident) -> str:
    return link(reverse("admin:statusbreaks_incident_change", args=[incident.pk]))


def the_checkout_closes(story: Story) -> None:
    teller = story.teller
    teller.chapter("The checkout closes, the rest stays open")
    closing = Closing.objects.get(incident=story.incident)
    promise(closing.scope == "checkout" and closing.is_running(timezone.now()), "the checkout is not closed")
    teller.tell("The plan for such an incident closes the checkout, so that nobody pays in vain.")
    visitor = visitor_client()
    choose(visitor, story.world.shelf[1])
    answer = visitor.get("/checkout/")
    promise(answer.status_code == 503, f"/checkout/ answered {answer.status_code} instead of 503")
    page = reader.current().leases[0].pages(timezone.now())["en"]
    body = answer.content.decode()
    promise(page.headline in body, "the closed page does not show its headline")
    teller.tell(f"GET /checkout/  {answer.status_code}, Retry-After {answer['Retry-After']} s:", "bad")
    ways = [label for _kind, label, *_rest in scene.CHANNELS if label in body]
    promise(len(ways) == len(scene.CHANNELS), "the closed page does not show every other way to the shop")
    teller.quote([page.headline, scene.OPENED["en"][1], "Meanwhile: " + " · ".join(ways)])
    promise(scene.OPENED["en"][0] in body or scene.OPENED["en"][1] in body, "the closed page does not say why")
    for path in ("/", story.world.shelf[1].get_absolute_url(), "/basket/"):
        status = visitor.get(path).status_code
        promise(status == 200, f"{path} answered {status} although only the checkout is closed")
        teller.tell(f"GET {path}  {status}", "good")


def the_customers_are_told(story: Story) -> None:
    teller = story.teller
    teller.chapter("The customers are told")
    sent = story.letters("update:")
    story.told_at = min(letter.sent_at for letter in sent if letter.sent_at)
    promise(sent, "nobody was told")
    languages = sorted({letter.language for letter in sent})
    promise(languages == ["de", "en", "pl"], f"letters went out in {languages} only")
    by_language = ", ".join(f"{sum(one.language == code for one in sent)} {code}" for code in languages)
    teller.tell(f"{plural(len(sent), 'e-mail')} in the customers' own languages ({by_language}). Zofia reads:")
    show(story, story.letter_to_her("update:"))


def show(story: Story, letter: Message, *, paragraphs: int = 2) -> None:
    """The beginning of a letter."""
    parts = [" ".join(part.split()) for part in letter.body.split("\n\n") if part.strip()]
    story.teller.quote([f"To: {letter.recipient}", f"Subject: {letter.subject}", *parts[:paragraphs]])


def staff_find_the_cause(story: Story) -> None:
    teller, now = story.teller, timezone.now() + timedelta(minutes=25)
    story.world.live(now)
    teller.chapter("Staff take it in hand")
    eta = now + timedelta(minutes=50)
    draft = Draft(scene.IDENTIFIED, status="identified", eta_at=eta, next_update_at=eta + timedelta(minutes=10))
    before = len(story.letters("update:"))
    update = post_update(story.incident, draft, by=story.staff)
    story.world.round()
    sent = story.letters(f"update:{update.pk}")
    promise(len(story.letters("update:")) > before and sent, "the update reached nobody")
    teller.tell(
        f"Iga of the staff: “{scene.IDENTIFIED['en'][1]}” Expected to be solved by {local(eta)}. "
        f"{plural(len(sent), 'e-mail')}; the closed page says the same from now on."
    )
    page = visitor_client().get("/checkout/").content.decode()
    promise(scene.IDENTIFIED["en"][0] in page, "the closed page does not show the update")


def the_provider_recovers(story: Story) -> None:
    teller = story.teller
    story.world.live(timezone.now() + timedelta(minutes=35))
    teller.chapter("The provider recovers")
    waiting = Order.objects.awaiting_payment(scene.CARDS).count()
    story.provider.switch(Provider.Mode.CONFIRM, timezone.now())
    story.world.round()
    released = waiting - Order.objects.awaiting_payment(scene.CARDS).count()
    promise(released and story.hers.paid_at, "the payments that were held back did not come")
    lasted = long(timezone.now() - story.failing_since)
    text = f"{story.provider.name} is back after {lasted} and confirms {plural(released, 'payment')} at once."
    teller.tell(text, "good")
    limit = timezone.now() + timedelta(hours=3)
    while story.incident.is_active and timezone.now() < limit:
        story.world.live(timezone.now() + timedelta(minutes=5))
    incident = story.incident
    promise(incident.status == Incident.Status.RESOLVED, f"{incident.reference} is {incident.status}, not resolved")
    teller.tell(f"Nothing was wrong for {long(scene.QUIET)}: {incident.reference} is resolved by itself.", "good")
    it_is_over(story, incident)


def it_is_over(story: Story, incident: Incident) -> None:
    told = story.letters(f"update:{incident.current_update_id}")
    promise(told, "nobody was told that it is over")
    story.teller.add(f"{plural(len(told), 'e-mail')}: “{scene.RESOLVED['en'][0]}.”", "")
    visitor = visitor_client()
    choose(visitor, story.world.shelf[1])
    status = visitor.get("/checkout/").status_code
    promise(status == 200, f"the checkout should be open again, and answers {status}")
    away = plural(story.world.turned_away, "shopper")
    story.teller.tell(f"GET /checkout/  {status}: open again. {away} had met the closed page meanwhile.", "good")
