import json
from datetime import timedelta

import pytest
from django.core.checks import Info
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from statusbreaks.maintenance import checks, store
from statusbreaks.maintenance.models import AlternativeChannel, Closing, ClosingText
from statusbreaks.maintenance.services import close_shop
from tests.factories import NOW

HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock", "state_dir")]


def run(capsys, *words):
    call_command("statusbreaks", *words)
    return capsys.readouterr().out


def status(capsys):
    return json.loads(run(capsys, "status", "--json"))


def leases(directory):
    state = store.load(directory)
    return [lease.scope for lease in state.leases] if state else []


# The command


def test_the_shop_is_closed_and_opened_from_a_shell(capsys, state_dir):
    said = run(capsys, "close", "--scope", "checkout", "--minutes", "30", "--reason", "new terminal")
    closed = status(capsys)
    opened = run(capsys, "open")

    assert said == "Closed: checkout, until it is opened, at the latest 2026-03-03 12:00 UTC.\n"
    assert (closed["state"], closed["closed"]) == ("closed", ["checkout"])
    assert closed["closings"][0]["expected_open_at"] == "2026-03-02T12:30:00+00:00"
    assert Closing.objects.get().reason == "new terminal"
    assert opened == "Opened: checkout.\n"
    assert status(capsys)["state"] == "open"


def test_a_shop_that_never_closed_is_open(capsys):
    assert run(capsys, "status") == "The shop is open.\n"
    assert status(capsys) == {
        "state": "open",
        "closed": [],
        "version": 0,
        "published_at": None,
        "closings": [],
        "planned": [],
    }
    assert run(capsys, "open") == "Opened: nothing was closed.\n"


def test_the_state_is_told_in_sentences(capsys):
    close_shop(scope="checkout", at_most=HOUR)
    close_shop(scope="site", begins_at=NOW + HOUR, at_most=HOUR)

    part = run(capsys, "status").splitlines()
    close_shop(scope="site")

    assert part == [
        "The shop is open, but for: checkout.",
        "  checkout from 2026-03-02T12:00:00+00:00, at the latest until 2026-03-02T13:00:00+00:00",
        "  planned: site from 2026-03-02T13:00:00+00:00, at the latest until 2026-03-02T14:00:00+00:00",
    ]
    assert run(capsys, "status").startswith("The shop is closed.\n")


def test_only_the_named_part_is_opened(capsys, state_dir):
    close_shop(scope="checkout")
    close_shop(scope="account")

    said = run(capsys, "open", "--scope", "account")

    assert said == "Opened: account.\nStill closed: checkout.\n"
    assert leases(state_dir) == ["checkout"]


def test_it_does_not_open_before_it_is_expected_to(capsys):
    run(capsys, "close", "--minutes", "90", "--at-most", "60")

    assert Closing.objects.get().ends_at == NOW + 1.5 * HOUR


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["close", "--scope", "chekout"], "'chekout' is no part"),
        (["close", "--minutes", "0"], "above 0"),
        (["close", "--at-most", "-5"], "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(words, reason, state_dir):
    with pytest.raises(CommandError, match=reason):
        call_command("statusbreaks", *words)

    assert not Closing.objects.exists()
    assert leases(state_dir) == []


def test_a_closing_that_shoppers_do_not_see_is_a_failure(state_dir):
    state_dir.write_text("in the way")

    with pytest.raises(CommandError, match="shoppers see no change"):
        call_command("statusbreaks", "close")


def test_a_state_that_cannot_be_read_is_a_failure(state_dir):
    state_dir.mkdir()
    (state_dir / "state").write_bytes(b"rubbish")

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("statusbreaks", "status")


# The checks


def ids():
    return [message.id for message in checks.check_maintenance()]


def test_a_sound_setup_says_nothing(state_dir):
    before = ids()
    close_shop()

    assert (before, ids()) == ([], [])


def test_a_state_without_a_place_is_told(settings):
    settings.STATUSBREAKS = {}
    settings.BASE_DIR = None

    assert ids() == ["statusbreaks.W010"]


def test_a_place_that_cannot_be_written_is_told(state_dir):
    state_dir.write_text("in the way")

    assert ids() == ["statusbreaks.W011"]


def test_a_damaged_state_is_told_and_how_to_mend_it(state_dir):
    close_shop()

    (state_dir / "state").write_bytes(b"rubbish")
    one = checks.check_state()
    (state_dir / "state.kept").write_bytes(b"rubbish")
    both = checks.check_state()

    assert [message.id for message in (*one, *both)] == ["statusbreaks.W013", "statusbreaks.W012"]
    assert "statusbreaks_tick" in both[0].hint


def test_a_missing_door_is_told_and_one_that_is_not_the_first(settings):
    first, *rest = settings.MIDDLEWARE

    settings.MIDDLEWARE = rest
    missing = checks.check_middleware()
    settings.MIDDLEWARE = [*rest, first]
    late = checks.check_middleware()

    assert [message.id for message in (*missing, *late)] == ["statusbreaks.I010", "statusbreaks.I011"]
    assert isinstance(missing[0], Info)


def test_scopes_without_an_effect_are_told(settings):
    settings.STATUSBREAKS = {
        **settings.STATUSBREAKS,
        "SCOPES": {"site": ["/"], "gifts": [], "wrap": ["wrap/"], "checkout": ["/checkout/"]},
    }

    assert ids() == ["statusbreaks.W014", "statusbreaks.W015", "statusbreaks.W015"]


def test_a_front_page_that_is_always_open_is_told(settings):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "ALWAYS_OPEN": ["/webhooks/", "//"]}

    assert ids() == ["statusbreaks.W016"]


# The admin


def test_the_shop_is_closed_by_hand_with_words_of_ones_own(admin_client, admin_user, state_dir):
    form = {
        "scope": "checkout",
        "reason": "stocktaking",
        "begins_at_0": "2026-03-02",
        "begins_at_1": "13:00:00",
        "ends_at_0": "2026-03-03",
        "ends_at_1": "13:00:00",
        "texts-TOTAL_FORMS": 1,
        "texts-INITIAL_FORMS": 0,
        "texts-0-language": "en",
        "texts-0-headline": "We are counting",
    }

    answer = admin_client.post(reverse("admin:statusbreaks_closing_add"), form)

    assert answer.status_code == 302
    closing = Closing.objects.get()
    assert (closing.opened_by, closing.closed_at, closing.begins_at) == (admin_user, NOW, NOW)
    assert "We are counting" in store.load(state_dir).leases[0].editions[0].pages["en"].html


def act(client, action, *closings):
    form = {"action": action, "_selected_action": [closing.pk for closing in closings]}
    return client.post(reverse("admin:statusbreaks_closing_changelist"), form, follow=True)


def test_staff_open_and_close_with_a_verb(admin_client, admin_user, state_dir):
    closing = close_shop(scope="checkout")

    opened = act(admin_client, "open_now", closing)
    after_opening = leases(state_dir)
    closed = act(admin_client, "close_now", closing)

    assert "this is what shoppers see now" in opened.content.decode()
    assert "this is what shoppers see now" in closed.content.decode()
    assert (after_opening, leases(state_dir)) == ([], ["checkout"])
    closing.refresh_from_db()
    assert closing.ended_by == admin_user


def test_staff_are_told_when_shoppers_do_not_see_it(admin_client, state_dir):
    closing = close_shop()
    for name in ("state", "state.kept", "state.lock"):
        (state_dir / name).unlink()
    state_dir.rmdir()
    state_dir.write_text("in the way")

    answer = act(admin_client, "close_now", closing)

    assert "the state file was not written" in answer.content.decode()


def test_a_closing_is_a_record_and_is_not_deleted(admin_client):
    closing = close_shop()

    answer = admin_client.post(reverse("admin:statusbreaks_closing_delete", args=[closing.pk]), {"post": "yes"})

    assert answer.status_code == 403
    assert Closing.objects.exists()


def test_the_list_says_what_runs_and_the_form_offers_an_end(admin_client):
    close_shop(scope="checkout")
    close_shop(scope="site", begins_at=NOW + HOUR)
    close_shop(scope="api", begins_at=NOW - 2 * HOUR, at_most=HOUR)

    page = admin_client.get(reverse("admin:statusbreaks_closing_changelist")).content.decode()
    form = admin_client.get(reverse("admin:statusbreaks_closing_add")).content.decode()

    for state in ("closed", "planned", "over"):
        assert f'<td class="field-state">{state}</td>' in page
    assert 'name="ends_at_0" value="2026-03-03"' in form
    assert '<option value="checkout">checkout</option>' in form
    assert '<option value="writes">writes: everything that writes (read-only shop)</option>' in form


def test_a_channel_is_shown_as_soon_as_it_is_saved_and_gone_when_it_is_deleted(admin_client, state_dir):
    close_shop()
    form = {"kind": "phone", "label": "Call us", "target": "22 123", "position": 0, "is_active": "on"}

    def is_shown():
        return "Call us" in store.load(state_dir).leases[0].editions[0].pages["en"].html

    admin_client.post(reverse("admin:statusbreaks_alternativechannel_add"), form)
    added = is_shown()
    channel = AlternativeChannel.objects.get()
    admin_client.post(reverse("admin:statusbreaks_alternativechannel_delete", args=[channel.pk]), {"post": "yes"})
    deleted = is_shown()
    admin_client.post(reverse("admin:statusbreaks_alternativechannel_add"), form)
    added_again = is_shown()
    action = {"action": "delete_selected", "_selected_action": [AlternativeChannel.objects.get().pk], "post": "yes"}
    admin_client.post(reverse("admin:statusbreaks_alternativechannel_changelist"), action)

    assert (added, deleted, added_again, is_shown()) == (True, False, True, False)


# The rows


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"scope": "chekout", "ends_at": NOW + HOUR}, "scope"),
        ({"scope": "site", "ends_at": NOW}, "ends_at"),
        ({"scope": "site", "ends_at": NOW + HOUR, "expected_open_at": NOW + 2 * HOUR}, "ends_at"),
    ],
)
def test_a_closing_is_checked_before_it_is_kept(facts, field):
    with pytest.raises(ValidationError) as refused:
        Closing(begins_at=NOW, **facts).clean()

    assert list(refused.value.message_dict) == [field]


def test_rows_name_themselves():
    closing = close_shop(scope="checkout")

    assert str(closing) == "checkout 2026-03-02 12:00"
    assert str(Closing(scope="gifts", begins_at=NOW)) == "gifts 2026-03-02 12:00"
    assert str(ClosingText(language="de", headline="Umzug")) == "de: Umzug"
    assert str(AlternativeChannel(label="Call us")) == "Call us"
