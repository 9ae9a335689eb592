import gzip
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from statusbreaks.exceptions import PageRefused
from statusbreaks.maintenance import pages
from statusbreaks.maintenance.answer import NOTICE_MARK
from statusbreaks.maintenance.facts import Facts, News, Told, Way
from statusbreaks.maintenance.pages import Site, check, editions, page
from tests.maintenance.build import HOUR, NOW

SITE = Site("Kettle & Thread", ("en", "de", "pl"), ZoneInfo("Europe/Warsaw"))
PHONE = Way(
    "phone", "Order by <phone>", "22 123 45 67", "tel:221234567", "Card or cash", "Mo-Fr 08:00-20:00", "At once"
)


def told(language="en", **texts):
    news = (News(NOW - HOUR, "Cause found", "A second data centre takes over."),)
    return Told(language, **{"why": "Card payments fail.", "news": news, "ways": (PHONE,), **texts})


def facts(**values):
    known = {"id": 1, "scope": "site", "begins_at": NOW - HOUR, "ends_at": NOW + 24 * HOUR, "reference": "KT-7"}
    return Facts(**{**known, "told": tuple(told(code) for code in SITE.languages), **values})


def html(language="en", at=NOW, words=None, **values):
    return page(facts(**values), words or told(language), SITE, at, NOW).html


def text(markup):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]*>", "", markup, flags=re.DOTALL))


def test_the_page_says_what_a_shopper_needs_to_know():
    page = text(html(expected_open_at=NOW + HOUR, next_news_at=NOW + HOUR / 2))

    for said in (
        "Kettle &amp; Thread",
        "Sorry, the shop is closed for a short while",
        "Card payments fail.",
        "We expect to open Monday, 14:00",
        "Next news by Monday, 13:30, even if nothing has changed.",
        "Times are for Warsaw (CET).",
        "Your basket is kept.",
        "do not pay again",
        "Order by &lt;phone&gt;22 123 45 67",
        "Mon–Fri 08:00–20:00",
        "Card or cash",
        "Monday, 12:00Cause found",
        "A second data centre takes over.",
        "Shop closed",
        "I paid, but I have no confirmation",
        "Incident KT-7.",
        "Page updated: Monday, 13:00",
        "Try the shop again",
    ):
        assert said in page


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("de", ["Unser Shop ist leider kurz geschlossen", "Wir öffnen voraussichtlich Montag, 14:00", "Störung KT-7."]),
        ("pl", ["Przepraszamy, sklep jest chwilowo zamknięty", "Przewidywane otwarcie: poniedziałek, 14:00"]),
    ],
)
def test_the_page_speaks_the_visitors_language(language, sentences):
    markup = html(language, expected_open_at=NOW + HOUR)

    assert f'<html lang="{language}" dir="ltr">' in markup
    assert f'lang="{language}" hreflang="{language}" aria-current="true"' in markup
    for sentence in sentences:
        assert sentence in text(markup)


def test_no_sentence_of_the_page_is_left_in_english():
    source = (
        pages.get_template(pages.TEMPLATE).template.source,
        pages.get_template(pages.NOTICE_TEMPLATE).template.source,
    )
    sentences = set(re.findall(r'{% trans "([^"]+)" %}', "".join(source)))

    for language in ("de", "pl"):
        with translation.override(language):
            assert [sentence for sentence in sentences if translation.gettext(sentence) == sentence] == []


@pytest.mark.parametrize(
    ("scope", "headline", "leads_back"),
    [
        ("site", "Sorry, the shop is closed for a short while", False),
        ("checkout", "Sorry, the checkout is closed for a short while", True),
        ("writes", "Sorry, for a short while you can look around but not order", True),
        ("gifts", "Sorry, this part of the shop is closed for a short while", True),
    ],
)
def test_the_headline_names_what_is_closed_and_the_rest_can_be_reached(scope, headline, leads_back):
    markup = html(scope=scope)

    assert f"<h1>{headline}</h1>" in markup
    assert ("Look around the shop" in markup) is leads_back


def test_words_of_the_staff_go_before_ours():
    markup = html(words=told(headline="Moving house", why="We are\nmoving."))

    assert "<h1>Moving house</h1>" in markup
    assert "We are<br>moving." in markup


def test_without_any_words_general_ones_stand_in():
    assert "nothing goes wrong with orders" in html(words=told(why="", news=()))
    assert "nobody pays in vain" in html(scope="checkout", words=told(why="", news=()))


def test_words_in_another_language_are_marked_as_such():
    words = told("de", why_language="en", news=(News(NOW, "Cause found", "Soon.", "en"),))

    markup = html("de", words=words)

    assert '<p class="why" lang="en">' in markup
    assert '<div lang="en"><h3>Cause found' in markup


def test_a_promised_time_that_has_passed_is_never_shown():
    late = text(html(at=NOW + HOUR, expected_open_at=NOW + HOUR, next_news_at=NOW + 2 * HOUR))

    assert "It takes longer than we said. We are sorry." in late
    assert "14:00" not in late
    assert "Next news by Monday, 15:00" in late


def test_news_that_is_overdue_is_not_promised():
    assert "News appears here as soon as there is any." in html(at=NOW + HOUR, next_news_at=NOW + HOUR)


def test_where_nobody_knows_when_it_opens_the_page_says_so():
    assert "We do not know yet when it opens." in html()


def test_an_edition_is_prepared_for_each_promise_that_can_pass():
    found = editions(facts(expected_open_at=NOW + HOUR, next_news_at=NOW + HOUR / 2), SITE, NOW)

    assert [edition.shown_from for edition in found] == [NOW, NOW + HOUR / 2, NOW + HOUR]
    assert [sorted(edition.pages) for edition in found] == [["de", "en", "pl"]] * 3
    assert "We expect to open" in found[1].pages["en"].html
    assert "It takes longer" in found[2].pages["en"].html


def test_a_planned_closing_is_told_as_of_its_beginning():
    found = editions(facts(begins_at=NOW + HOUR, expected_open_at=NOW + HOUR / 2), SITE, NOW)

    assert [edition.shown_from for edition in found] == [NOW + HOUR]
    assert "It takes longer" in found[0].pages["en"].html


def test_a_weekday_is_not_enough_for_next_week():
    assert "Monday, March 9, 2026, 13:00" in text(html(expected_open_at=NOW + timedelta(days=7)))


def test_programs_read_the_same_in_plain_sentences():
    prepared = page(facts(expected_open_at=NOW + HOUR, next_news_at=NOW + HOUR / 2), told(), SITE, NOW, NOW)

    assert prepared.headline == "Sorry, the shop is closed for a short while"
    assert prepared.detail == (
        "Card payments fail. We expect to open on Monday at 14:00, Warsaw (CET). Next news by Monday, 13:30."
    )
    assert "It takes longer than we said." in page(facts(expected_open_at=NOW), told(), SITE, NOW, NOW).detail


def test_the_page_needs_nothing_from_elsewhere_and_runs_only_what_it_holds():
    prepared = page(facts(), told(), SITE, NOW, NOW)

    check(prepared.html, {"headline": prepared.headline})
    assert prepared.csp.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src 'sha256-" in prepared.csp
    assert "unsafe" not in prepared.csp
    assert len(gzip.compress(prepared.html.encode())) < 14_000
    assert " style=" not in prepared.html
    assert " on" not in re.findall(r"<[^>]*>", prepared.html)


def test_the_page_has_landmarks_one_heading_and_a_way_past_the_top():
    markup = html()

    for landmark in ("<header", '<main id="main"', "<footer", "<nav aria-label=", 'href="#main"'):
        assert markup.count(landmark) == 1
    assert markup.count("<h1>") == 1
    assert 'http-equiv="refresh"' not in markup


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda markup: markup.replace("Sorry", "Sorted"), "headline"),
        (lambda markup: markup.replace(" lang=", " data-lang="), "lang"),
        (lambda markup: markup.replace(NOTICE_MARK, ""), "not sent"),
        (lambda markup: markup + '<img src="https://cdn.example/x.png">', "elsewhere"),
        (lambda markup: markup + '<link rel="stylesheet" href="/static/shop.css">', "elsewhere"),
        (lambda markup: markup + "<style>@import 'x.css'</style>", "elsewhere"),
        (lambda markup: markup + '<meta http-equiv="refresh" content="5">', "reloads"),
        (lambda markup: markup + "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(8000)), "compressed"),
    ],
)
def test_a_page_that_would_not_help_is_refused(damage, reason):
    with pytest.raises(PageRefused, match=reason):
        check(damage(html()), {"headline": "Sorry, the shop is closed for a short while"})


@pytest.fixture
def broken_template(monkeypatch):
    def fail(name, context):
        raise ValueError("no such template")

    monkeypatch.setattr(pages, "render_to_string", fail)


def test_a_broken_template_does_not_keep_the_shop_open(broken_template, caplog):
    prepared = page(facts(expected_open_at=NOW + HOUR), told("de"), SITE, NOW, NOW)

    assert "was refused" in caplog.text
    check(prepared.html, {"headline": "Unser Shop ist leider kurz geschlossen"})
    for said in (
        "Card payments fail.",
        "Montag um 14:00 Uhr",
        "tel:221234567",
        "Order by &lt;phone&gt;",
        "Shop erneut",
    ):
        assert said in prepared.html
    assert "Ihre Bestellung wurde nicht abgeschickt." in prepared.notice


def test_a_page_that_is_too_long_is_replaced_by_a_plain_one(caplog):
    endless = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(8000))

    prepared = page(facts(), told(news=(News(NOW, "News", endless),)), SITE, NOW, NOW)

    assert "compressed" in caplog.text
    assert "<style>" not in prepared.html
    assert "Card payments fail." in prepared.html


def test_a_design_that_cannot_be_read_stops_nobody(monkeypatch):
    before = pages.design()
    monkeypatch.setattr(pages, "TEMPLATE", "statusbreaks/closed/missing.html")

    assert "Skip to the content" in before
    assert pages.design() == ""


def test_a_street_address_is_shown_without_a_link():
    way = Way("shop", "Visit us", "Lniana 4", "")

    assert '<p class="label">Visit us<br>Lniana 4</p>' in html(words=told(ways=(way,)))
