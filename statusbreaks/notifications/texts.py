"""Messages rendered from templates, in the language of the recipient.

A shop overrides `statusbreaks/messages/<name>.txt` and `.html` in a template directory of its own. The first line of
the text is the subject. The text is written for a plain page, not for HTML: only the `.html` escapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from statusbreaks.conf import conf


@dataclass(frozen=True)
class Text:
    subject: str
    body: str
    html: str


def render(name: str, language: str, context: Mapping[str, Any]) -> Text:
    """The text called `name` in `language`, or in the site's language where that one is not offered."""
    with translation.override(offered(language)):
        values = {"shop_name": conf().shop_name, "base_url": conf().base_url, **context}
        plain = render_to_string(f"statusbreaks/messages/{name}.txt", values).strip()
        subject, _, body = plain.partition("\n")
        html = render_to_string(f"statusbreaks/messages/{name}.html", {**values, "subject": subject})
    return Text(" ".join(subject.split())[:200], body.strip() + "\n", html.strip() + "\n")


def offered(language: str) -> str:
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE
