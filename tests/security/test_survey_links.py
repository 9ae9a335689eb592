"""Somebody forges, guesses, reuses or plants a link to a survey."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from statusbreaks.feedback import services
from statusbreaks.feedback.models import Survey
from tests.factories import NOW, IncidentFactory

pytestmark = pytest.mark.django_db

ANSWER = {"rating": "5", "comment": "Thank you"}


@pytest.fixture
def survey(clock):
    return Survey.objects.create(
        incident=IncidentFactory(),
        customer="contact:abc",
        order_key="o-1",
        order_number="O-1",
        asked_at=NOW,
        expires_at=NOW + services.OPEN_FOR,
    )


def page(token):
    return f"/statusbreaks/survey/{token}/"


def unanswered(survey):
    return Survey.objects.filter(pk=survey.pk, answered_at__isnull=True, rating__isnull=True).exists()


@pytest.mark.parametrize(
    "forge",
    [
        lambda survey: str(survey.pk),
        lambda survey: signing.dumps(survey.pk),
        lambda survey: signing.dumps(survey.pk, salt="statusbreaks.survey2"),
        lambda survey: signing.dumps(survey.pk, salt=services.SALT, key="another secret"),
        lambda survey: services.token(survey)[:-1],
        lambda survey: services.token(survey).swapcase(),
        lambda survey: "x" + services.token(survey),
    ],
)
def test_a_link_that_we_did_not_sign_leads_nowhere(client, survey, forge):
    forged = page(forge(survey))

    assert client.get(forged).status_code == 404
    assert client.post(forged, ANSWER).status_code == 404
    assert unanswered(survey)


def test_the_link_of_one_survey_does_not_open_another(client, survey):
    other = Survey.objects.create(
        incident=IncidentFactory(), customer="contact:def", asked_at=NOW, expires_at=NOW + services.OPEN_FOR
    )

    client.post(page(services.token(survey)), ANSWER)

    assert unanswered(other)


def test_a_link_that_a_mail_scanner_opens_answers_nothing(client, survey):
    assert client.get(page(services.token(survey))).status_code == 200
    assert client.head(page(services.token(survey))).status_code == 200
    assert unanswered(survey)


def test_the_first_answer_counts_and_a_second_changes_nothing(client, survey):
    client.post(page(services.token(survey)), ANSWER)
    client.post(page(services.token(survey)), {"rating": "1", "comment": "changed"})

    survey.refresh_from_db()
    assert (survey.rating, survey.comment) == (5, "Thank you")


def test_a_link_ends_after_thirty_days(client, survey, clock):
    token = services.token(survey)
    clock.move_to(NOW + timedelta(days=30, seconds=1))

    answer = client.post(page(token), ANSWER)

    assert answer.status_code == 404
    assert unanswered(survey)


@pytest.mark.parametrize("rating", ["0", "6", "-1", "5.0", "five", ""])
def test_a_rating_out_of_the_range_is_refused(client, survey, rating):
    answer = client.post(page(services.token(survey)), {"rating": rating})

    assert answer.status_code == 400
    assert unanswered(survey)


@pytest.mark.parametrize("left_out", ["none", "django.middleware.csrf.CsrfViewMiddleware"])
def test_another_site_cannot_answer_in_a_customers_name(survey, settings, left_out):
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != left_out]

    answer = Client(enforce_csrf_checks=True).post(page(services.token(survey)), ANSWER)

    assert answer.status_code == 403
    assert unanswered(survey)


def test_the_secret_in_the_address_is_told_to_no_other_site_and_no_cache(client, survey):
    answer = client.get(page(services.token(survey)))

    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_a_comment_is_kept_as_text_of_two_thousand_characters_at_most(survey):
    assert services.answer(survey, 3, "<script>alert(1)</script>" + "x" * 5000, at=timezone.now())

    assert len(survey.comment) == 2000
