"""The survey: asked once, behind a signed link, answered once, and only those who agreed get a mail."""

from datetime import timedelta

import pytest
from django.test import Client

from statusbreaks.feedback import services
from statusbreaks.feedback.models import Survey
from statusbreaks.feedback.services import answer, ask, link, survey_of, token
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.notifications.models import Message
from statusbreaks.shop.values import Customer, OrderFacts
from statusbreaks.signals import survey_answered
from statusbreaks.testing import memory_shop
from tests.example_project.factories import UserFactory
from tests.factories import NOW, AffectedOrderFactory, IncidentFactory, PlaybookFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def shop():
    with memory_shop() as shop:
        yield shop


@pytest.fixture
def incident():
    return IncidentFactory(
        title="Card payments", status="resolved", resolved_at=NOW, playbook=PlaybookFactory(asks_after=HOUR)
    )


def concerned(shop, incident, key, **customer):
    contact = {"email": f"{key}@example.com", "accepts_marketing": True, **customer}
    shop.orders[key] = OrderFacts(key, key.upper(), {}, customer=Customer(**contact))
    return AffectedOrderFactory(incident=incident, source="shop", order_key=key)


@pytest.fixture
def survey(clock):
    return survey_for("en")


def survey_for(language):
    return Survey.objects.create(
        incident=IncidentFactory(title="Card payments"),
        customer="contact:1",
        language=language,
        order_key="o-1",
        order_number="KT-1",
        asked_at=NOW,
        expires_at=NOW + 30 * DAY,
    )


def path(survey):
    return link(survey).removeprefix("https://shop.example")


def test_nobody_to_ask_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert ask(NOW) == 0


def test_those_concerned_are_asked_once_when_it_is_over_long_enough(shop, incident):
    user = UserFactory()
    concerned(shop, incident, "o-1", user_id=str(user.pk), language="de-at")

    assert ask(NOW + HOUR - timedelta(seconds=1)) == 0
    assert ask(NOW + HOUR) == 1
    assert ask(NOW + DAY) == 0

    survey = Survey.objects.get()
    assert (survey.incident, survey.customer, survey.user, survey.language) == (incident, f"user:{user.pk}", user, "de")
    assert (survey.order_key, survey.order_number) == ("o-1", "O-1")
    assert (survey.asked_at, survey.expires_at) == (NOW + HOUR, NOW + HOUR + 30 * DAY)
    message = Message.objects.get()
    assert (message.topic, message.recipient, message.recipient_class) == (
        f"survey:{survey.pk}",
        "o-1@example.com",
        "marketing",
    )
    assert link(survey).split(":")[0] == "https"
    assert "https://shop.example/statusbreaks/survey/" in message.body
    incident.refresh_from_db()
    assert incident.asked_at == NOW + HOUR


def test_who_did_not_agree_to_hear_from_us_gets_no_mail(shop, incident):
    concerned(shop, incident, "o-1", accepts_marketing=False)

    ask(NOW + HOUR)

    assert Survey.objects.count() == 1
    assert Message.objects.count() == 0


def test_one_customer_with_two_orders_is_asked_once_and_a_nobody_never(shop, incident):
    concerned(shop, incident, "o-1", email="ada@example.com")
    concerned(shop, incident, "o-2", email="Ada@example.com")
    concerned(shop, incident, "o-3", email="")

    assert ask(NOW + HOUR) == 3

    assert Survey.objects.count() == Message.objects.count() == 1


@pytest.mark.parametrize("status", ["investigating", "dismissed"])
def test_nobody_is_asked_about_what_is_not_over(shop, incident, status):
    concerned(shop, incident, "o-1")
    Incident.objects.update(status=status)

    assert ask(NOW + DAY) == 0


def test_a_playbook_that_asks_nobody_asks_nobody(shop):
    incident = IncidentFactory(status="resolved", resolved_at=NOW, playbook=PlaybookFactory())
    concerned(shop, incident, "o-1")

    assert ask(NOW + DAY) == 0


def test_who_was_asked_is_not_asked_again_when_it_is_reopened(shop, incident):
    concerned(shop, incident, "o-1")
    ask(NOW + HOUR)
    Incident.objects.update(asked_at=None)
    concerned(shop, incident, "o-2", email="o-1@example.com")

    ask(NOW + DAY)

    assert Survey.objects.count() == 1
    assert not AffectedOrder.objects.unasked().exists()


def test_one_who_cannot_be_asked_now_is_asked_by_the_next_tick(shop, incident, monkeypatch):
    orders = [concerned(shop, incident, f"o-{number}") for number in range(3)]
    facts = services.facts_of_orders

    def hiccup(batch):
        if orders[1] in batch:
            raise TimeoutError("the shop does not answer")
        return facts(batch)

    monkeypatch.setattr(services, "facts_of_orders", hiccup)
    ask(NOW + HOUR)
    assert Survey.objects.count() == 2

    monkeypatch.setattr(services, "facts_of_orders", facts)
    ask(NOW + HOUR)
    assert Survey.objects.count() == 3
    assert Incident.objects.get().asked_at == NOW + HOUR


def test_a_link_leads_to_its_survey_until_it_is_too_old(survey, clock):
    signed = token(survey)
    clock.shift(30 * DAY)
    assert survey_of(signed) == survey

    clock.shift(timedelta(seconds=2))
    assert survey_of(signed) is None


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t.replace(":", "", 1), lambda t: "x"])
def test_a_link_that_was_changed_leads_nowhere(client, survey, spoil):
    signed = token(survey)

    assert survey_of(spoil(signed)) is None
    assert client.get(path(survey).replace(signed, spoil(signed))).status_code == 404


@pytest.mark.parametrize("garbage", ["x", "%00", "1:2:3", "MQ:1tXQqP:AAAA", "💥", "a" * 3000, "..%2f..%2fetc"])
def test_garbage_is_not_found(client, garbage):
    assert client.get(f"/statusbreaks/survey/{garbage}/").status_code == 404
    assert client.post(f"/statusbreaks/survey/{garbage}/", {"rating": 5}).status_code == 404


def test_a_survey_that_was_deleted_is_not_found(client, survey):
    where = path(survey)
    survey.delete()

    assert client.get(where).status_code == 404


def test_looking_at_the_page_changes_nothing(client, survey):
    for _ in range(2):
        page = client.get(path(survey))
        client.head(path(survey))

    assert page.status_code == 200
    assert "How did we handle it?" in page.text
    assert "KT-1" in page.text
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    survey.refresh_from_db()
    assert (survey.answered_at, survey.rating) == (None, None)


def test_an_answer_is_taken_once(client, survey, clock, django_capture_on_commit_callbacks):
    heard = []
    survey_answered.connect(on_answered := lambda survey, **_: heard.append((survey.pk, survey.rating)))

    with django_capture_on_commit_callbacks(execute=True):
        first = client.post(path(survey), {"rating": "4", "comment": "  Quick. "})
        clock.shift(HOUR)
        second = client.post(path(survey), {"rating": "1", "comment": "No."})
    survey_answered.disconnect(on_answered)

    assert "Thank you" in first.text
    assert "Thank you" in second.text
    survey.refresh_from_db()
    assert (survey.rating, survey.comment, survey.answered_at) == (4, "Quick.", NOW)
    assert heard == [(survey.pk, 4)]
    page = client.get(path(survey))
    assert "Thank you" in page.text
    assert "<form" not in page.text


def test_too_late_is_too_late(client, survey, clock):
    clock.shift(29 * DAY)
    Survey.objects.update(expires_at=NOW + DAY)

    assert "This survey is closed" in client.get(path(survey)).text
    assert "This survey is closed" in client.post(path(survey), {"rating": "4"}).text
    survey.refresh_from_db()
    assert survey.answered_at is None
    assert not answer(survey, 5)


@pytest.mark.parametrize(
    "said", [{}, {"rating": ""}, {"rating": "6"}, {"rating": "0"}, {"rating": "x"}, {"comment": "?"}]
)
def test_an_answer_without_a_rating_is_asked_for_again(client, survey, said):
    page = client.post(path(survey), said)

    assert page.status_code == 400
    assert 'class="error"' in page.text
    survey.refresh_from_db()
    assert survey.answered_at is None


def test_a_comment_that_is_too_long_is_asked_for_again(client, survey):
    assert client.post(path(survey), {"rating": "4", "comment": "x" * 2001}).status_code == 400


def test_the_title_that_staff_gave_the_incident_stays_with_staff(client, survey):
    page = client.get(path(survey)).content.decode()

    assert "Something went wrong with your order KT-1. Two questions" in page
    assert survey.incident.title not in page


def test_what_somebody_writes_is_shown_as_text(client, survey):
    page = client.post(path(survey), {"comment": "<script>alert(1)</script>"})

    assert "<script>alert" not in page.text


def test_an_answer_from_another_site_is_refused(survey):
    client = Client(enforce_csrf_checks=True)

    assert client.post(path(survey), {"rating": "1"}).status_code == 403
    survey.refresh_from_db()
    assert survey.answered_at is None

    client.get(path(survey))
    answer = {"rating": "5", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(path(survey), answer).status_code == 200
    survey.refresh_from_db()
    assert survey.rating == 5


def test_an_answer_from_another_site_is_refused_in_a_shop_without_the_middleware_too(survey, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]

    assert Client(enforce_csrf_checks=True).post(path(survey), {"rating": "1"}).status_code == 403


def test_a_german_customer_reads_german(client, clock):
    page = client.get(path(survey_for("de")))

    assert 'lang="de"' in page.text
    assert "How did we handle it?" not in page.text


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_is_one_to_five(survey, rating):
    with pytest.raises(ValueError, match="1 to 5"):
        answer(survey, rating)


def test_a_survey_is_named_after_its_order(survey):
    assert str(survey) == "KT-1"
