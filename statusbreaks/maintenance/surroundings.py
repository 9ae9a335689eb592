"""What the project around us tells: which addresses always stay reachable, which languages the shop speaks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from django.conf import global_settings, settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import timezone, translation

from statusbreaks.conf import conf
from statusbreaks.maintenance.pages import Site
from statusbreaks.maintenance.paths import alternatives, segments
from statusbreaks.maintenance.scopes import scope_paths
from statusbreaks.maintenance.state import Map

# Robots, certificates, and what load balancers and orchestrators ask whether we live.
ALWAYS = (
    "/robots.txt",
    "/favicon.ico",
    "/.well-known/",
    "/health/",
    "/healthz",
    "/livez",
    "/readyz",
    "/ping",
)
_SIGN = "x"


def site() -> Site:
    return Site(conf().shop_name, languages(), timezone.get_default_timezone())


def languages() -> tuple[str, ...]:
    """Those of the site, its own first. A site that names none speaks its own, not the hundred of Django."""
    own = settings.LANGUAGE_CODE
    codes = [code for code, _name in settings.LANGUAGES]
    if codes == [code for code, _name in global_settings.LANGUAGES]:
        return (own,)
    first = own if own in codes else own.split("-")[0]
    return (first, *(code for code in codes if code != first)) if first in codes else tuple(codes)


def shop_map() -> Map:
    """Addresses by what they are. Read when the state is published, so that a request needs no URLconf."""
    in_front = _prefix_languages()
    with translation.override(settings.LANGUAGE_CODE):
        always_open = [*ALWAYS, *conf().always_open, *_files(), *_without_language(_own(), in_front)]
        writable = _without_language(_log_in_and_out(), in_front)
    return Map(
        scopes=scope_paths(),
        always_open=tuple(dict.fromkeys(always_open)),
        writable=tuple(dict.fromkeys(writable)),
        prefix_languages=in_front,
    )


def _without_language(paths: Iterable[str], languages: Collection[str]) -> list[str]:
    """Of addresses that carry a language the one for all languages, and none that would be the front page."""
    shortest = [alternatives(segments(path), languages)[-1] for path in paths]
    return [f"/{'/'.join(parts)}/" for parts in shortest if parts]


def _files() -> list[str]:
    found = [settings.STATIC_URL, settings.MEDIA_URL]
    here = [_without_script(url) for url in found if url and not urlsplit(url).netloc]
    # Django reads an empty MEDIA_URL as the root: that would open everything.
    return [path for path in here if path.strip("/")]


def _own() -> list[str]:
    """The admin and what is ours: staff open the shop there, providers and other shops report there."""
    ours = _address("statusbreaks:survey", _SIGN).removesuffix(f"survey/{_SIGN}/")
    return [_address("admin:index"), ours]


def _log_in_and_out() -> list[str]:
    return [_address("login"), _address("logout"), _login_url()]


def _login_url() -> str:
    try:
        url = resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return ""
    return "" if urlsplit(url).netloc else _without_script(url)


def _address(name: str, *args: str) -> str:
    try:
        return _without_script(reverse(name, args=args))
    except NoReverseMatch:
        return ""


def _without_script(url: str) -> str:
    # A door sees paths without the script name. URLs in settings have it only since Django adds it to relative ones.
    prefix = get_script_prefix()
    return "/" + url.removeprefix(prefix).lstrip("/")


def _prefix_languages() -> tuple[str, ...]:
    used, _default_too = is_language_prefix_patterns_used(settings.ROOT_URLCONF)
    return tuple(code.lower() for code, _name in settings.LANGUAGES) if used else ()
