"""Every table has its pages, they open, and more rows cost no more statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin

from statusbreaks.flows.models import FlowCounter, FlowGauge
from statusbreaks.incidents.models import IncidentEvent
from statusbreaks.maintenance.models import AlternativeChannel, Closing
from statusbreaks.shop.models import Bookmark
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADMIN = "/admin/statusbreaks"
PARTS = {"playbooktext", "updatetext", "closingtext"}  # pages of their own would tear them from what they belong to


def closing(number: int) -> object:
    return Closing.objects.create(scope="checkout", ends_at=NOW + timedelta(hours=number + 1))


def channel(number: int) -> object:
    return AlternativeChannel.objects.create(kind="phone", label="Phone", target=f"+48 22 {number}")


def event(number: int) -> object:
    return IncidentEvent.objects.create(incident=factories.IncidentFactory(), what="opened")


def counter(number: int) -> object:
    return FlowCounter.objects.create(flow="payment", status="authorised", bucket=number)


def gauge(number: int) -> object:
    return FlowGauge.objects.create(flow="payment", status=f"s{number}", next_at=NOW)


def full_incident(number: int) -> object:
    incident = factories.IncidentFactory(playbook=factories.PlaybookFactory())
    for _ in range(3):
        factories.UpdateTextFactory(update__incident=incident)
        factories.AffectedOrderFactory(incident=incident)
        IncidentEvent.objects.create(incident=incident, what="opened")
    return incident


def update(number: int) -> object:
    return factories.UpdateTextFactory(update__published_at=NOW if number % 2 else None).update


def playbook(number: int) -> object:
    return factories.PlaybookTextFactory().playbook


MAKE = {
    "affectedorder": lambda number: factories.AffectedOrderFactory(),
    "alarm": lambda number: factories.AlarmFactory(),
    "alternativechannel": channel,
    "bookmark": lambda number: Bookmark.objects.create(name=f"sweep {number}", noted_at=NOW),
    "campaign": lambda number: factories.CampaignFactory(),
    "closing": closing,
    "component": lambda number: factories.ComponentFactory(),
    "coupon": lambda number: factories.CouponFactory(),
    "couponpolicy": lambda number: factories.CouponPolicyFactory(playbook=factories.PlaybookFactory()),
    "expectation": lambda number: factories.ExpectationFactory(after=f"s{number}"),
    "flowcounter": counter,
    "flowgauge": gauge,
    "grant": lambda number: factories.GrantFactory(),
    "incident": full_incident,
    "incidentevent": event,
    "incidentupdate": update,
    "message": lambda number: factories.MessageFactory(),
    "playbook": playbook,
    "reportedorder": lambda number: factories.ReportedOrderFactory(),
    "statusbreak": lambda number: factories.StatusBreakFactory(),
    "statuschange": lambda number: factories.StatusChangeFactory(),
    "survey": lambda number: factories.SurveyFactory(),
    "watch": lambda number: factories.WatchFactory(),
}
WRITTEN_BY_STAFF = [
    *("alternativechannel", "campaign", "closing", "component", "couponpolicy", "expectation"),
    *("incident", "incidentupdate", "playbook"),
]


def test_every_table_has_a_page_of_its_own_or_is_a_part_of_another() -> None:
    ours = {
        model._meta.model_name for model in apps.get_app_config("statusbreaks").get_models(include_auto_created=False)
    }
    registered = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "statusbreaks"}

    assert registered | PARTS == ours
    assert registered == set(MAKE)


@pytest.mark.parametrize("table", MAKE)
def test_a_list_opens_is_searched_and_costs_the_same_for_many_rows(boss, table, django_assert_max_num_queries):
    def statements(url: str) -> int:
        with django_assert_max_num_queries(12) as counted:
            assert boss.get(url).status_code == 200
        return len(counted)

    MAKE[table](0)
    few = statements(f"{ADMIN}/{table}/")
    for number in range(1, 7):
        MAKE[table](number)

    assert statements(f"{ADMIN}/{table}/") == few
    assert boss.get(f"{ADMIN}/{table}/?q=o-1").status_code == 200


@pytest.mark.parametrize("table", MAKE)
def test_a_row_opens_with_few_statements(boss, table, django_assert_max_num_queries):
    row = MAKE[table](0)

    with django_assert_max_num_queries(16):
        answer = boss.get(f"{ADMIN}/{table}/{row.pk}/change/")

    assert answer.status_code == 200


@pytest.mark.parametrize("table", MAKE)
def test_only_what_staff_write_can_be_added(boss, table):
    assert boss.get(f"{ADMIN}/{table}/add/").status_code == (200 if table in WRITTEN_BY_STAFF else 403)


@pytest.mark.parametrize("table", MAKE)
def test_nothing_is_seen_without_permission(staff, table):
    row, client = MAKE[table](0), staff()

    for url in (f"{ADMIN}/{table}/", f"{ADMIN}/{table}/{row.pk}/change/", f"{ADMIN}/{table}/add/"):
        assert client.get(url).status_code == 403


@pytest.mark.parametrize("table", sorted(set(MAKE) - set(WRITTEN_BY_STAFF)))
def test_the_apps_own_rows_stay_as_they_are(boss, table):
    row = MAKE[table](0)
    deletable = table == "reportedorder"

    assert boss.post(f"{ADMIN}/{table}/{row.pk}/change/", {"status": "x"}).status_code == 403
    assert boss.get(f"{ADMIN}/{table}/{row.pk}/delete/").status_code == (200 if deletable else 403)


def test_a_list_is_counted_no_further_than_anybody_turns_pages(boss, monkeypatch):
    monkeypatch.setattr("statusbreaks.core.admin.COUNTED", 3)
    factories.StatusChangeFactory.create_batch(5)

    answer = boss.get(f"{ADMIN}/statuschange/")

    assert answer.context["cl"].result_count == 3


def test_an_incident_shows_the_first_rows_and_links_to_all(boss, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr("statusbreaks.core.admin.SHOWN_INSIDE", 2)
    incident = factories.IncidentFactory()
    orders = factories.AffectedOrderFactory.create_batch(5, incident=incident)

    with django_assert_max_num_queries(16):
        answer = boss.get(f"{ADMIN}/incident/{incident.pk}/change/")

    affected = answer.context["inline_admin_formsets"][1].formset
    assert [form.instance for form in affected.forms] == [orders[4], orders[3]]
    assert f"{ADMIN}/affectedorder/?incident__id__exact={incident.pk}" in answer.content.decode()
