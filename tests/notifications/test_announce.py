"""The stage `announce`: each current update, once, to everyone concerned who can be reached."""

from datetime import timedelta

import pytest

from statusbreaks.exceptions import PluginError
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.incidents.services import Draft, post_update, resolve
from statusbreaks.notifications import services
from statusbreaks.notifications.models import Message
from statusbreaks.notifications.services import announce
from statusbreaks.notifications.texts import offered, render
from tests.concurrency import at_once, needs_threads
from tests.factories import NOW, AffectedOrderFactory, IncidentFactory, MessageFactory, ReportedOrderFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NEWS = Draft({"en": ("Found it", "A cable."), "de": ("Gefunden", "Ein <Kabel>.")})


@pytest.fixture
def incident():
    return IncidentFactory()


def concerned(incident, key, **contact):
    ReportedOrderFactory(order_key=key, **contact)
    return AffectedOrderFactory(incident=incident, order_key=key)


def outbox():
    return [(message.topic, message.recipient, message.status) for message in Message.objects.order_by("pk")]


def test_nothing_to_tell_costs_one_query(django_assert_num_queries, incident):
    concerned(incident, "o-1")
    with django_assert_num_queries(1):
        assert announce(NOW) == 0


def test_an_update_is_told_once_to_everyone_concerned(incident):
    concerned(incident, "o-1")
    concerned(incident, "o-2")
    update = post_update(incident, NEWS)

    assert announce(NOW) == 2
    assert announce(NOW) == 0

    topic = f"update:{update.pk}"
    assert outbox() == [(topic, "o-1@example.com", "queued"), (topic, "o-2@example.com", "queued")]
    first = Message.objects.first()
    assert (first.incident, first.order_number, first.recipient_class, first.channel) == (
        incident,
        "O-1",
        "service",
        "email",
    )
    assert (first.created_at, first.not_before, first.tries) == (NOW, NOW, 0)
    incident.refresh_from_db()
    assert incident.announced_at == NOW
    assert str(first) == f"{topic} (email)"


def test_each_reads_it_in_their_own_language(incident):
    concerned(incident, "o-1", language="de-at", name="Ada")
    concerned(incident, "o-2", language="tlh")
    post_update(incident, Draft(NEWS.texts, eta_at=NOW + HOUR, next_update_at=NOW + 2 * HOUR))

    announce(NOW)

    german, english = Message.objects.order_by("recipient")
    assert (german.language, english.language) == ("de", "en")
    assert "Gefunden" in german.subject
    assert "Ein <Kabel>." in german.body
    assert "Ein &lt;Kabel&gt;." in german.html
    assert 'lang="de"' in german.html
    assert english.subject == "Found it – your order O-2"
    assert "Hello Ada," in english.body
    assert "We expect this to be solved by" in english.body


def test_one_person_with_two_orders_is_told_once(incident):
    concerned(incident, "o-1", email="ada@example.com")
    concerned(incident, "o-2", email="ada@example.com")
    post_update(incident, NEWS)

    assert announce(NOW) == 2
    assert [to for _, to, _ in outbox()] == ["ada@example.com"]


def test_a_late_joiner_is_told_the_current_update_only(incident):
    concerned(incident, "o-1")
    post_update(incident, NEWS)
    announce(NOW)
    second = post_update(incident, NEWS)
    announce(NOW)
    concerned(incident, "late")
    Incident.objects.all().mark_changed()

    announce(NOW)

    assert [topic for topic, to, _ in outbox() if to == "late@example.com"] == [f"update:{second.pk}"]
    assert len(outbox()) == 3


def test_whose_order_went_on_before_a_word_was_said_is_left_in_peace(incident):
    order = concerned(incident, "o-1")
    AffectedOrder.objects.filter(pk=order.pk).update(recovered_at=NOW)
    post_update(incident, NEWS)

    assert announce(NOW) == 0
    assert outbox() == []


def test_who_was_told_of_it_is_told_the_end_too(incident):
    order = concerned(incident, "o-1")
    post_update(incident, NEWS)
    announce(NOW)
    AffectedOrder.objects.filter(pk=order.pk).update(recovered_at=NOW)
    incident.refresh_from_db()
    resolve(incident, draft=NEWS)

    assert announce(NOW) == 1
    assert len(outbox()) == 2


def test_who_was_removed_hears_nothing(incident):
    order = concerned(incident, "o-1")
    AffectedOrder.objects.filter(pk=order.pk).update(removed_at=NOW)
    post_update(incident, NEWS)

    assert announce(NOW) == 0


def test_an_update_that_tells_nobody_tells_nobody(incident):
    concerned(incident, "o-1")
    post_update(incident, Draft(NEWS.texts, notifies=False))

    assert announce(NOW) == 0


def test_what_is_outdated_is_not_sent_any_more(incident):
    concerned(incident, "o-1")
    post_update(incident, NEWS)
    announce(NOW)
    [first] = Message.objects.all()
    other = MessageFactory(topic="update:999")
    coupon = MessageFactory(topic="grant:1", incident=incident)
    post_update(incident, NEWS)
    announce(NOW + HOUR)

    first.refresh_from_db()
    assert (first.status, first.error, first.closed_at) == ("skipped", "outdated", NOW + HOUR)
    assert set(Message.objects.queued()) == {other, coupon, Message.objects.last()}


@pytest.mark.parametrize(("free_at", "status"), [(NOW + HOUR, "queued"), (NOW - HOUR, "skipped")])
def test_what_a_worker_holds_is_left_to_it_and_what_a_dead_one_held_is_withdrawn(incident, free_at, status):
    held = MessageFactory(topic="update:0", incident=incident, claimed_by="worker", not_before=free_at)
    concerned(incident, "o-1")
    post_update(incident, NEWS)

    announce(NOW)

    held.refresh_from_db()
    assert held.status == status


@pytest.mark.parametrize("email", ["", "no address"])
def test_who_cannot_be_reached_is_noted_with_the_reason(incident, email):
    concerned(incident, "o-1", email=email)
    update = post_update(incident, NEWS)

    assert announce(NOW) == 1

    assert outbox() == [(f"update:{update.pk}", "order O-1", "skipped")]
    message = Message.objects.get()
    assert (message.error, message.closed_at, message.body) == ("no address", NOW, "")
    assert announce(NOW) == 0


def test_of_whom_nothing_is_known_any_more_it_is_noted_too(incident):
    AffectedOrderFactory(incident=incident, order_key="gone", order_number="")
    post_update(incident, NEWS)

    announce(NOW)

    assert [(to, status) for _, to, status in outbox()] == [("order gone", "skipped")]


def test_one_who_cannot_be_told_now_stops_no_other_and_is_told_by_the_next_tick(incident, monkeypatch):
    for key in ("o-1", "o-2", "o-3"):
        concerned(incident, key)
    post_update(incident, NEWS)
    facts_of = services.facts_of

    def hiccup(source, keys):
        if "o-2" in keys:
            raise TimeoutError("the shop does not answer")
        return facts_of(source, keys)

    monkeypatch.setattr(services, "facts_of", hiccup)
    announce(NOW)
    assert [to for _, to, _ in outbox()] == ["o-1@example.com", "o-3@example.com"]
    assert Incident.objects.get().announced_at is None

    monkeypatch.setattr(services, "facts_of", facts_of)
    announce(NOW)
    assert [to for _, to, _ in outbox()] == ["o-1@example.com", "o-3@example.com", "o-2@example.com"]
    assert Incident.objects.get().announced_at == NOW


def test_an_order_that_joins_while_it_is_being_told_is_told_by_the_next_tick(incident, monkeypatch):
    concerned(incident, "o-1")
    post_update(incident, NEWS)
    tell = services._tell

    def interrupted(incident, update, orders, now):
        tell(incident, update, orders, now)
        if not AffectedOrder.objects.filter(order_key="late").exists():
            concerned(incident, "late")
            Incident.objects.all().mark_changed()

    monkeypatch.setattr(services, "_tell", interrupted)
    monkeypatch.setattr("statusbreaks.incidents.models.AffectedOrderQuerySet.exists", lambda self: False, raising=False)
    services._announce(Incident.objects.unannounced().with_update().get(), NOW)
    monkeypatch.undo()

    assert Incident.objects.get().announced_at is None
    announce(NOW)
    assert [to for _, to, _ in outbox()] == ["o-1@example.com", "late@example.com"]


def test_an_incident_that_cannot_be_announced_stops_no_other(incident, monkeypatch, caplog):
    other = IncidentFactory()
    concerned(incident, "o-1")
    concerned(other, "o-2")
    post_update(incident, NEWS)
    post_update(other, NEWS)
    withdraw = services.Message.objects.withdraw_updates

    def failing(of, **rest):
        if of == incident:
            raise PluginError("no")
        return withdraw(of, **rest)

    monkeypatch.setattr(services.Message.objects, "withdraw_updates", failing)

    assert announce(NOW) == 1
    assert [to for _, to, _ in outbox()] == ["o-2@example.com"]
    assert f"Incident {incident.pk} could not be worked on" in caplog.text


def test_telling_many_takes_a_fixed_number_of_queries(incident, django_assert_max_num_queries):
    for number in range(40):
        concerned(incident, f"o-{number}")
    post_update(incident, NEWS)

    with django_assert_max_num_queries(16):
        assert announce(NOW) == 40


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_tell_everyone_once():
    incident = IncidentFactory()
    for number in range(30):
        concerned(incident, f"o-{number}")
    post_update(incident, NEWS)

    done = at_once(*[lambda: announce(NOW)] * 4)

    assert [type(each) for each in done] == [int] * 4
    announce(NOW)
    assert Message.objects.count() == 30


def test_a_text_is_rendered_in_one_line_of_subject_and_the_rest():
    order = AffectedOrderFactory(order_number="KT-1")
    text = render("update", "en", {"text": {"headline": "A \t B" + "x" * 300, "body": "Body"}, "order": order})

    assert len(text.subject) == 200
    assert text.subject.startswith("A Bx")
    assert "Body" in text.body


@pytest.mark.parametrize(("asked", "answer"), [("de", "de"), ("de-ch", "de"), ("", "en"), ("xx", "en"), ("pl", "pl")])
def test_what_is_not_offered_is_the_sites_language(asked, answer):
    assert offered(asked) == answer
