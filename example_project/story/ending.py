"""The second half: goodwill within a budget, a coupon that is used, a rating, and the sum of it all."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from example_project.story.acts import ZOFIA, Story, in_admin, link, show, zofia_buys
from example_project.story.telling import long, plural, promise
from example_project.story.world import SELDOM, choose
from statusbreaks.models import Campaign, Coupon, Incident, Message, StatusBreak, Survey

CODE = re.compile(r"^\s+([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})$", re.MULTILINE)
LINK = re.compile(r"https?://\S+/statusbreaks(/survey/\S+)")
NUMBER = re.compile(r"^X-Statusbreaks-Message: (\d+)$", re.MULTILINE)
COMMENT = "You told me before I noticed. The tea was good, too."


def goodwill(story: Story) -> None:
    teller = story.teller
    teller.chapter("Goodwill, within a budget")
    campaign = Campaign.objects.get()
    issued, cost = Coupon.objects.count(), campaign.reserved
    promise(issued > 0 and cost == issued * campaign.policy.cost, "the coupons and what they cost do not match")
    promise(cost <= campaign.budget, f"{cost} EUR were promised, above the budget of {campaign.budget}")
    worth = campaign.policy.worth
    teller.tell(
        f"{plural(issued, 'coupon')} of {worth} issued and sent: at most {euros(cost)} of a budget of "
        f"{euros(campaign.budget)}."
    )
    left = story.incident.affected.kept().filter(compensated_at__isnull=True).count()
    exhausted = campaign.status == Campaign.Status.EXHAUSTED
    promise(exhausted == bool(left), f"{left} orders got nothing, and the campaign is {campaign.status}")
    if exhausted:
        teller.add(
            f"The budget is used up: {plural(left, 'order')} got none. The campaign says so, and waits for staff to "
            "raise it.",
            "bad",
        )
    show(story, story.letter_to_her("grant:"), paragraphs=4)


def euros(amount: Decimal) -> str:
    return f"{amount:.2f} EUR"


def the_next_day(story: Story, evening: datetime) -> None:
    story.world.live(evening, SELDOM)
    story.teller.chapter("The next day")
    survey = story.letter_to_her("survey:")
    asked, mailed = Survey.objects.count(), len(story.letters("survey:"))
    story.teller.tell(
        f"{plural(asked, 'customer')} can rate how it was handled; {mailed} had agreed to such mail and got the link."
    )
    she_redeems(story)
    story.world.live(timezone.now() + timedelta(minutes=20))
    she_rates(story, survey)


def she_redeems(story: Story) -> None:
    teller = story.teller
    found = CODE.search(story.letter_to_her("grant:").body)
    promise(found, "there is no code in the letter")
    assert found is not None
    code = found[1]
    order = zofia_buys(story, coupon=code)
    coupon = Coupon.objects.get(redeemed_at__isnull=False)
    promise(coupon.shown == code and order.discount == coupon.discount, "the coupon was not taken off the order")
    teller.tell(
        f"Zofia types {code} into the checkout: {order.subtotal + order.shipping} − {order.discount} = {order.total} "
        f"EUR, order {order.number}.",
        "good",
    )
    teller.add(link(order.signed_path()), "link")
    choose(story.browser, story.world.shelf[1], 2)
    again = story.browser.post("/checkout/", {**ZOFIA, "coupon": code})
    promise(again.status_code == 409 and "used already" in again.content.decode(), "the same code was good twice")
    teller.tell(f"The same code once more: {again.status_code}, “This code was used already.” Nothing is ordered.")


def she_rates(story: Story, letter: Message) -> None:
    found = LINK.search(letter.body)
    promise(found, "there is no link in the letter")
    assert found is not None
    path = f"/statusbreaks{found[1]}"
    page = story.browser.get(path)
    promise(page.status_code == 200 and b'type="radio"' in page.content, "the signed link does not open the survey")
    answer = story.browser.post(path, {"rating": "5", "comment": COMMENT})
    survey = Survey.objects.get(answered_at__isnull=False)
    promise(answer.status_code == 200 and survey.rating == 5, "the rating did not come in")
    story.teller.tell(f"She opens the signed link and rates {survey.rating} of 5: “{survey.comment}”", "good")
    story.teller.add(link(path), "link")


def until_now(story: Story, now: datetime) -> None:
    """Bring the shop to the present, and show that a tick without news does nothing."""
    teller = story.teller
    story.world.live(now, SELDOM)
    teller.chapter("Now")
    story.world.round()
    before = _rows()
    again = story.world.round()
    promise(not any(again.values()), f"a second tick found something to do: {again}")
    promise(_rows() == before, "a second tick changed something")
    stages = ", ".join(again)
    teller.tell(f"The worker ticked {plural(story.world.ticks, 'time')}. One tick more: nothing to do ({stages}).")
    others = [f"{one} ({one.flow} {one.segment})" for one in _false_alarms(story)]
    promise(not others, f"there was a false alarm: {', '.join(others)}")


def _false_alarms(story: Story) -> list[Incident]:
    """Incidents that are about nothing; one that became a part of the real one is none."""
    return list(Incident.objects.exclude(pk=story.incident.pk).exclude(status=Incident.Status.MERGED))


def _rows() -> list[int]:
    return [model.objects.count() for model in (Message, Coupon, Incident, StatusBreak, Survey)]


def sent_once() -> int:
    """How many messages left the outbox, as the mail server saw them: each once, none missing."""
    texts = [letter.read_text(errors="replace") for letter in Path(settings.MAIL_DIR).glob("*.log")]
    seen = Counter(number for text in texts for number in NUMBER.findall(text))
    twice = [number for number, count in seen.items() if count > 1]
    promise(not twice, f"these messages were sent twice: {twice}")
    sent = Message.objects.filter(status=Message.Status.SENT).count()
    promise(len(seen) == sent, f"{sent} messages are marked as sent, and {len(seen)} were")
    return sent


def sum_up(story: Story) -> None:
    incident, campaign = story.incident, Campaign.objects.get()
    issued, redeemed = Coupon.objects.count(), Coupon.objects.filter(redeemed_at__isnull=False).count()
    survey = Survey.objects.get(answered_at__isnull=False)
    noticed = long(incident.detected_at - story.failing_since)
    resolved = long((incident.resolved_at or timezone.now()) - story.failing_since)
    rows = [
        ("noticed after", f"{noticed}, from the flow alone"),
        ("customers told after", long(story.told_at - story.failing_since)),
        ("resolved after", resolved),
        ("orders concerned", f"{incident.affected.count()}"),
        ("shoppers shown the closed page", f"{story.world.turned_away}"),
        ("messages sent", f"{sent_once()}, none twice"),
        ("coupons", f"{issued} issued, at most {euros(campaign.reserved)} of {euros(campaign.budget)}"),
        ("redeemed", f"{redeemed}"),
        ("rating", f"{survey.rating} of 5"),
        ("false alarms", f"{len(_false_alarms(story))}"),
    ]
    story.teller.chapter("In all")
    story.teller.table(rows)
    story.teller.chapter("To look at")
    story.teller.table(links(story))


def links(story: Story) -> list[tuple[str, str]]:
    incident = story.incident
    return [
        ("the incident", in_admin(incident)),
        ("Zofia's order that waited", link(story.hers.signed_path())),
        ("all her orders, for staff", link(f"{reverse('staff_orders')}?q={ZOFIA['email']}")),
        ("the e-mails", f"{settings.MAIL_DIR}"),
    ]
