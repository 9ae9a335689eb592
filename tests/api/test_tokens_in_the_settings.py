"""What a name in API_TOKENS may be."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks


@pytest.mark.parametrize(("length", "found"), [(40, []), (41, ["statusbreaks.E008"])])
def test_a_name_that_no_order_could_keep_is_found_by_the_checks(settings, length, found):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "API_TOKENS": {"x" * length: "token"}}

    assert [message.id for message in run_checks(tags=["statusbreaks"])] == found
