import logging
from datetime import timedelta

import pytest
from django.db import transaction

from statusbreaks import signals
from statusbreaks.exceptions import ShopStateError
from statusbreaks.incidents.services import Draft, change_status, dismiss, post_update, resolve
from statusbreaks.maintenance import services, store
from statusbreaks.maintenance.models import AlternativeChannel, Closing, ClosingText
from statusbreaks.maintenance.services import close_again, close_shop, is_shown, keep, open_shop, publish, shield
from tests.factories import NOW, IncidentFactory, PlaybookFactory

HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock", "state_dir")]


@pytest.fixture
def told():
    """What the signals said, as ("closed" or "opened", scope)."""
    said = []

    def closed(sender, closing, **_):
        said.append(("closed", closing.scope))

    def opened(sender, closing, **_):
        said.append(("opened", closing.scope))

    signals.shop_closed.connect(closed)
    signals.shop_opened.connect(opened)
    yield said
    signals.shop_closed.disconnect(closed)
    signals.shop_opened.disconnect(opened)


def leases(directory):
    state = store.load(directory)
    return [lease.scope for lease in state.leases] if state else []


def page_of(directory, language="en"):
    return store.load(directory).leases[0].editions[0].pages[language].html


def test_closing_and_opening_are_seen_by_shoppers_and_told_to_the_shop(state_dir, told, admin_user):
    closing = close_shop(scope="checkout", reason="card terminal", by=admin_user)
    closed = leases(state_dir)

    assert open_shop(closing, by=admin_user)

    assert (closed, leases(state_dir)) == (["checkout"], [])
    assert told == [("closed", "checkout"), ("opened", "checkout")]
    row = Closing.objects.get()
    assert (row.opened_by, row.closed_at, row.ended_by, row.ended_at) == (admin_user, NOW, admin_user, NOW)
    assert row.ends_at == NOW + timedelta(hours=24)


def test_who_opens_twice_opens_once(told):
    closing = close_shop()
    assert open_shop(closing)

    again = open_shop(Closing.objects.get())

    assert again is False
    assert told == [("closed", "site"), ("opened", "site")]


def test_two_closings_overlap_and_who_opens_ends_only_his_own(state_dir):
    mine, _theirs = close_shop(scope="checkout"), close_shop(scope="checkout")

    open_shop(mine)

    assert leases(state_dir) == ["checkout"]


def test_a_part_that_does_not_exist_is_not_closed(state_dir):
    with pytest.raises(ShopStateError, match="'chekout' is no part"):
        close_shop(scope="chekout")

    assert not Closing.objects.exists()
    assert leases(state_dir) == []


def test_what_was_rolled_back_is_not_seen(state_dir, told):
    def close_and_think_better_of_it():
        with transaction.atomic():
            close_shop()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        close_and_think_better_of_it()

    assert (leases(state_dir), told) == ([], [])


def test_a_planned_closing_begins_on_time_and_is_told_then(state_dir, told, clock):
    close_shop(begins_at=NOW + HOUR, at_most=HOUR)
    before = (store.load(state_dir).running(NOW), list(told))

    clock.shift(HOUR)
    at_its_time = shield(NOW + HOUR)
    after = shield(NOW + HOUR)

    assert before == ([], [])
    assert [lease.scope for lease in store.load(state_dir).running(NOW + HOUR)] == ["site"]
    assert (at_its_time, after, told) == (1, 0, [("closed", "site")])


def test_a_closing_that_reaches_its_greatest_age_opens_by_itself(state_dir, told):
    close_shop(at_most=HOUR)

    running = store.load(state_dir).running(NOW + HOUR)
    shield(NOW + 2 * HOUR)

    assert running == []
    assert Closing.objects.get().ended_at == NOW + HOUR
    assert told == [("closed", "site"), ("opened", "site")]
    assert leases(state_dir) == []


def test_a_playbook_closes_its_parts_while_its_incident_lasts(state_dir, told):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout", "writes"]))

    done = [shield(NOW), shield(NOW)]
    closed = leases(state_dir)
    resolve(incident)
    done += [shield(NOW + HOUR), shield(NOW + HOUR)]

    assert closed == ["checkout", "writes"]
    assert leases(state_dir) == []
    assert done == [3, 0, 3, 0]
    assert told == [("closed", "checkout"), ("closed", "writes"), ("opened", "checkout"), ("opened", "writes")]


def test_an_incident_that_was_nothing_opens_the_shop(state_dir):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    shield(NOW)

    dismiss(incident)
    shield(NOW)

    assert leases(state_dir) == []


def test_an_incident_that_was_deleted_opens_the_shop(state_dir):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    shield(NOW)

    incident.delete()
    shield(NOW)

    assert leases(state_dir) == []
    assert Closing.objects.get().ended_at == NOW


def test_a_closing_that_staff_ended_stays_ended(state_dir):
    IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    shield(NOW)

    open_shop(Closing.objects.get())
    shield(NOW + HOUR)

    assert leases(state_dir) == []
    assert Closing.objects.count() == 1


def test_a_reopened_incident_closes_again(state_dir):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    shield(NOW)
    resolve(incident)
    shield(NOW)

    change_status(incident, "investigating")
    shield(NOW)

    assert leases(state_dir) == ["checkout"]
    assert Closing.objects.count() == 2


def test_an_incident_opens_only_what_it_closed_itself(state_dir):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    by_hand = close_shop(scope="checkout", incident=incident)
    shield(NOW)

    resolve(incident)
    shield(NOW)

    assert [lease.id for lease in store.load(state_dir).leases] == [by_hand.pk]


def test_a_playbook_that_closes_nothing_known_closes_nothing(state_dir, caplog):
    IncidentFactory(playbook=PlaybookFactory(closes="chekout"))

    assert shield(NOW) == 0
    assert "'chekout'" in caplog.text
    assert leases(state_dir) == []


def test_a_playbook_may_name_one_part_without_a_list(state_dir):
    IncidentFactory(playbook=PlaybookFactory(closes="checkout"))

    shield(NOW)

    assert leases(state_dir) == ["checkout"]


def test_a_quiet_shop_costs_two_queries_and_no_file(state_dir, django_assert_num_queries):
    PlaybookFactory()
    IncidentFactory(playbook=PlaybookFactory(closes=[]))

    with django_assert_num_queries(2):
        assert shield(NOW) == 0

    assert not state_dir.exists()


def test_a_closed_shop_about_which_nothing_is_new_is_not_published_again(state_dir, django_assert_max_num_queries):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    post_update(incident, Draft({"en": ("Looking into it", "Some payments hang.")}), at=NOW)
    shield(NOW)
    before = (state_dir / "state").stat().st_mtime_ns

    with django_assert_max_num_queries(7):
        assert shield(NOW) == 0

    assert (state_dir / "state").stat().st_mtime_ns == before


def test_what_is_new_is_shown_by_the_next_tick(state_dir):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    shield(NOW)
    assert "KT-" not in page_of(state_dir)

    texts = {"en": ("Cause found", "A cable was cut."), "pl": ("Znamy przyczynę", "Przecięto kabel.")}
    post_update(incident, Draft(texts, eta_at=NOW + HOUR, next_update_at=NOW + HOUR / 2), at=NOW)
    AlternativeChannel.objects.create(kind="phone", label="Order by phone", target="22 123", hours="Mo-Su 08:00-20:00")
    AlternativeChannel.objects.create(kind="email", label="Schreiben", target="a@example.org", language="de")

    assert shield(NOW) == 1
    assert f"Incident KT-{incident.pk}." in page_of(state_dir)
    assert "A cable was cut." in page_of(state_dir)
    assert "Przecięto kabel." in page_of(state_dir, "pl")
    assert "Order by phone" in page_of(state_dir)
    assert "Schreiben" not in page_of(state_dir)
    assert "Schreiben" in page_of(state_dir, "de")
    assert store.load(state_dir).leases[0].expected_open_at == NOW + HOUR
    assert len(store.load(state_dir).leases[0].editions) == 3


def test_an_update_without_a_text_shows_where_the_incident_stands(state_dir):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    post_update(incident, Draft({}, status="identified"), at=NOW)

    shield(NOW)

    assert "<h3>Cause found</h3>" in page_of(state_dir)
    assert "<h3>Ursache gefunden</h3>" in page_of(state_dir, "de")


def test_hours_that_begin_bring_a_channel_to_the_front(state_dir):
    close_shop()
    AlternativeChannel.objects.create(
        kind="phone", label="Late phone", target="22 123", hours="14:00-20:00", position=1
    )
    AlternativeChannel.objects.create(
        kind="phone", label="Early phone", target="22 124", hours="08:00-13:30", position=0
    )
    shield(NOW)

    def order():
        page = page_of(state_dir)
        return page.index("Early phone") < page.index("Late phone")

    assert order() is True
    assert shield(NOW + 2 * HOUR) == 1
    assert order() is False


def test_words_of_ones_own_stand_in_each_language(state_dir):
    closing = close_shop()
    ClosingText.objects.create(closing=closing, language="de", headline="Umzug", body="Wir ziehen um.")

    publish(NOW)

    assert "<h1>Umzug</h1>" in page_of(state_dir, "de")
    assert "Wir ziehen um." in page_of(state_dir, "de")
    assert "<h1>Sorry, the shop is closed for a short while</h1>" in page_of(state_dir, "en")


def test_what_shoppers_need_stays_reachable(state_dir, settings):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "ALWAYS_OPEN": ["/webhooks/"]}
    settings.MEDIA_URL = "https://cdn.example/media/"
    close_shop()

    where = store.load(state_dir).map

    for path in (
        "/webhooks/pay/",
        "/static/x.css",
        "/robots.txt",
        "/.well-known/acme-challenge/x",
        "/healthz",
        "/admin/",
        "/statusbreaks/api/",
    ):
        assert where.is_always_open(path), path
    for path in ("/", "/checkout/", "/media/x"):
        assert not where.is_always_open(path), path


def test_a_state_that_cannot_be_written_is_told_and_tried_again(state_dir, caplog, told):
    state_dir.write_text("a file where the directory should be")

    closing = close_shop()
    failed = "cannot be written" in caplog.text
    shown = is_shown(closing)
    assert shield(NOW) == 0
    state_dir.unlink()

    assert (failed, shown) == (True, False)
    assert shield(NOW) == 1
    assert is_shown(closing)


def test_without_a_place_for_the_state_nothing_can_be_published(settings, state_dir):
    settings.STATUSBREAKS = {}
    settings.BASE_DIR = None

    with pytest.raises(ShopStateError, match="STATE_DIR"):
        publish(NOW)

    assert shield(NOW) == 0


@pytest.mark.parametrize("name", ["state", "state.kept"])
@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b""), lambda file: file.unlink()])
def test_a_damaged_file_is_mended_by_the_next_tick(state_dir, name, damage):
    close_shop(scope="checkout")
    version = store.load(state_dir).version

    damage(state_dir / name)

    assert shield(NOW) == 1
    assert store.is_whole(state_dir)
    assert leases(state_dir) == ["checkout"]
    assert store.load(state_dir).version == version + 1


def test_a_file_that_says_closed_after_a_crash_is_put_right(state_dir):
    close_shop()
    Closing.objects.update(ended_at=NOW)  # committed, and killed before the file was written

    assert shield(NOW) == 1
    assert leases(state_dir) == []


def test_a_planned_closing_can_begin_now(state_dir):
    closing = close_shop(begins_at=NOW + HOUR, at_most=HOUR)

    again = close_again(closing)

    assert again.pk == closing.pk
    assert (again.begins_at, again.ends_at, again.closed_at) == (NOW, NOW + HOUR, NOW)


def test_a_closing_that_is_over_can_be_made_once_more(state_dir):
    closing = close_shop(scope="checkout", reason="terminal", at_most=HOUR)
    ClosingText.objects.create(closing=closing, language="en", headline="Back soon")
    open_shop(closing)

    again = close_again(closing)

    assert again.pk != closing.pk
    assert (again.scope, again.reason, again.begins_at, again.ends_at) == ("checkout", "terminal", NOW, NOW + HOUR)
    assert "<h1>Back soon</h1>" in page_of(state_dir)


def test_a_closing_that_runs_is_left_as_it_is():
    closing = close_shop(at_most=HOUR)

    assert close_again(closing).pk == closing.pk
    assert Closing.objects.get().ends_at == NOW + HOUR


def test_a_changed_closing_is_shown_as_changed(state_dir):
    closing = close_shop(scope="checkout")

    closing.scope = "site"
    keep(closing)

    assert leases(state_dir) == ["site"]


def test_a_receiver_that_fails_stops_nobody(state_dir, caplog):
    def fail(**_):
        raise ValueError("not my day")

    signals.shop_closed.connect(fail)
    with caplog.at_level(logging.ERROR):
        close_shop()
    signals.shop_closed.disconnect(fail)

    assert leases(state_dir) == ["site"]
    assert "not my day" in caplog.text


def test_two_workers_that_close_at_once_make_one_closing(monkeypatch):
    incident = IncidentFactory(playbook=PlaybookFactory(closes=["checkout"]))
    shield(NOW)

    assert services._hold(f"{incident.pk}:checkout", "checkout", incident, NOW) is None
    assert Closing.objects.count() == 1
