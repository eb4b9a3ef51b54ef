"""Turns typed pages into HTML in the reader's language: Jinja, text catalogues, Babel.

A page is a frozen dataclass of the server (`views`); its template has the same name. Texts of
our own stand in `web/locale/<language>.toml`; names of RDF terms come from wording.py. A language
is a catalogue in that folder: nothing here names one but the endings of dates. Autoescape is on and
an undefined name is an error, so a literal can neither become markup nor vanish.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote, urlsplit

import jinja2
from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from bilbaokg import assets, wording
from bilbaokg.errors import BilbaokgError
from bilbaokg.index import Text

__all__ = [
    "DEFAULT_LANGUAGE",
    "ErrorPage",
    "Moment",
    "Site",
    "asset",
    "asset_path",
    "catalogue",
    "error_page",
    "file_size",
    "has_text",
    "jointed",
    "languages",
    "month",
    "page",
    "safe_href",
    "stamp",
    "term_label",
    "translate",
    "when",
]

DEFAULT_LANGUAGE: Final = "es"
# Values that are remembered as they are written: pages repeat dates, counts and addresses.
_REMEMBERED: Final = 10_000
_SHORT: Final = 200
_LONG: Final = re.compile(r"(\S{16,})")
_JOINT: Final = re.compile(r"(?<=[./_])(?=\w)")
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})


class Language(NamedTuple):
    """A choice of the language switch."""

    code: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in the past that a page shows: as it was `asked` for, a day or the id of a release,
    which `release` that means, and `since` when that was public (xsd:dateTime)."""

    asked: str
    release: str
    since: str

    @property
    def day(self) -> str | None:
        """The day that was asked for; None where a release was."""
        return self.asked if self.asked != self.release else None


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shows around its content.

    `root` is the path prefix that we are served under; `path` the present path after the language,
    with its query; `section` the entry of the navigation that is current; `title` the catalogue's
    title in this language; `release` the id of the release shown and `released` its date;
    `canonical` the public address under which search engines should know the page.

    `moment` is the time in the past that is shown, None for the present; `present` the address of
    the same page now; `dating` what a form that asks for another day has to send with it, None
    where the page has no past.
    """

    lang: str
    root: str = ""
    path: str = "/"
    section: str = ""
    title: str = ""
    release: str | None = None
    released: str | None = None
    canonical: str | None = None
    moment: Moment | None = None
    present: str = ""
    dating: list[tuple[str, str]] | None = None

    def url(self, path: str) -> str:
        """The address of a page in this language, at the time that is shown."""
        return self.dated(self.now(path))

    def now(self, path: str) -> str:
        """The address of a page in this language, in the present."""
        return f"{self.root}/{self.lang}{path}"

    def dated(self, address: str) -> str:
        """An address of ours, of the time that is shown."""
        return self.at(self.moment.asked, address) if self.moment else address

    def at(self, asked: str, address: str) -> str:
        """An address of ours, as of a day or a release."""
        whole, mark, fragment = address.partition("#")
        joint = "" if whole.endswith("?") else "&" if "?" in whole else "?"
        return f"{whole}{joint}as_of={quote(asked)}{mark}{fragment}"

    @property
    def languages(self) -> list[Language]:
        """Every language, with the address of this page in it."""
        return [
            Language(code, translate("language", code), f"{self.root}/{code}{self.path}")
            for code in languages()
        ]


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """The page for a request that could not be answered.

    `near` are records that may have been meant: (title, address).
    """

    status: int
    title: str
    detail: str
    hint: str | None = None
    where: str | None = None
    line: int | None = None
    request_id: str | None = None
    near: list[tuple[str, str]] = field(default_factory=list)


# ---- texts


@cache
def catalogue(lang: str) -> Mapping[str, Any]:
    """The texts of a language by dotted key: a text, or a table of its plural forms.

    They stand in one file a room of the site. Raises KeyError for a key that stands in two.
    """
    texts: dict[str, Any] = {}
    for path in sorted((assets.folder("web") / "locale" / lang).glob("*.toml")):
        for key, text in _flat(tomllib.loads(path.read_text(encoding="utf-8"))):
            if key in texts:
                raise KeyError(f"{key} stands twice, again in {path}")
            texts[key] = text
    return texts


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested tables as dotted keys; a table of plural forms stays one value."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, dict) and "other" not in value:
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a catalogue, the default one first."""
    found = {path.name for path in (assets.folder("web") / "locale").iterdir() if path.is_dir()}
    return (DEFAULT_LANGUAGE, *sorted(found - {DEFAULT_LANGUAGE}, reverse=True))


def translate(key: str, lang: str, count: int | None = None, **values: object) -> str:
    """The text of a key in a language, with its placeholders filled and the plural form of count.

    A text missing in this language is taken from the default one. Raises KeyError for a key that
    no catalogue has.
    """
    text = catalogue(lang).get(key)
    if text is None:
        text = catalogue(DEFAULT_LANGUAGE)[key]
    if isinstance(text, dict):
        form = Locale.parse(lang).plural_form(count if count is not None else 0)
        text = text.get(form, text["other"])
    if count is not None:
        values["count"] = number(count, lang)
    return str(text).format(**values) if values else str(text)


def has_text(key: str) -> bool:
    """Whether the default catalogue has this key."""
    return key in catalogue(DEFAULT_LANGUAGE)


@lru_cache(_REMEMBERED)
def term_label(iri: str, lang: str) -> Text | None:
    """What a property or class of a vocabulary is called, or None."""
    found = wording.term(iri, lang)
    return Text(*found) if found else None


# ---- values


@lru_cache(_REMEMBERED)
def safe_href(iri: str) -> str | None:
    """The IRI when a browser may follow it: javascript:, data: and the like never become links."""
    try:
        parts = urlsplit(iri)
        # Asking for the port says whether it is one.
        return iri if parts.scheme.lower() in _SCHEMES and parts.port != 0 else None
    except ValueError:
        return None


def jointed(text: str) -> Markup:
    """A text as markup in which long words, such as names of tables, may break behind their dots,
    slashes and underscores, before they break anywhere."""
    # Names come again and again; of long texts so many would take a lot of memory.
    return _short_jointed(text) if len(text) <= _SHORT else _jointed(text)


def _jointed(text: str) -> Markup:
    # Every other part is a long word.
    return Markup("").join(
        Markup("<wbr>").join(_JOINT.split(part)) if number % 2 else escape(part)
        for number, part in enumerate(_LONG.split(text))
    )


_short_jointed = lru_cache(_REMEMBERED)(_jointed)


@lru_cache(_REMEMBERED)
def when(value: str | None, lang: str, width: Literal["medium", "long"] = "long") -> str:
    """An xsd:date or xsd:dateTime as people write it; what is neither stays as it is."""
    if not value:
        return ""
    try:
        day = format_date(date.fromisoformat(value[:10]), width, translate("site.locale", lang))
        day = _DATES.get(lang, str)(day)
        if len(value) == len("2026-01-31"):
            return day
        moment = datetime.fromisoformat(value)
        return f"{day}, {moment:%H:%M}{' UTC' if moment.utcoffset() == timedelta(0) else ''}"
    except ValueError:
        return value


@lru_cache(_REMEMBERED)
def number(value: float, lang: str) -> str:
    """A number as people write it."""
    return format_decimal(value, locale=lang)


def month(value: str, lang: str) -> str:
    """A month (2026-03) as people write it."""
    first = date.fromisoformat(f"{value}-01")
    text = format_skeleton("yMMMM", first, locale=translate("site.locale", lang))
    return _DATES.get(lang, str)(text)


def _declined(day: str) -> str:
    """A Basque date with its endings written as they are spoken: 2026ko azaroaren 20a.

    CLDR leaves them open: 2026(e)ko azaroaren 20(a). Numbers that end in a consonant (bat, bost,
    hamar) take -eko; hamaika (11, 31) ends in -a by itself.
    """

    def year(found: re.Match[str]) -> str:
        number = int(found[1])
        tens, units = divmod(number % 100, 10)
        odd = tens % 2 == 1  # hogeita hamar, hogeita hamaika...
        closed = units == 5 or (units == 0 and odd) or (units == 1 and not odd)
        if number % 100 == 0:
            closed = number % 1000 != 0  # bederatziehun, but bi mila
        return f"{found[1]}{'eko' if closed else 'ko'}"

    day = re.sub(r"(\d+)\(e\)ko", year, day)
    return re.sub(r"(\d+)\(a\)", lambda d: d[1] + ("" if d[1] in ("11", "31") else "a"), day)


# What is still to do to a date of CLDR, by language.
_DATES: Final = {"eu": _declined}


def file_size(value: str | None, lang: str) -> str:
    """A number of bytes in the unit that suits it (kB = 1000 bytes); "" where it is no number."""
    if not value or not re.fullmatch(r"\d+(\.0*)?", value):
        return ""
    size = float(value)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    pattern = "#,##0" if unit == "B" or size >= 100 else "#,##0.#"
    return f"{format_decimal(size, format=pattern, locale=lang)}\u00a0{unit}"


# ---- static files


@cache
def _assets() -> Mapping[str, tuple[str, Path]]:
    """Static files: name -> (hash of the content, path)."""
    root = assets.folder("web") / "static"
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {
        path.relative_to(root).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest()[:12],
            path,
        )
        for path in files
    }


def asset(name: str, root: str = "") -> str:
    """The address of a static file; it changes with the content. Raises KeyError."""
    return f"{root}/static/{_assets()[name][0]}/{name}"


def has_asset(name: str) -> bool:
    """Whether there is such a static file: what is built may be missing."""
    return name in _assets()


def asset_path(digest: str, name: str) -> Path | None:
    """The static file of an address, or None when it is no longer that content."""
    known, path = _assets().get(name, ("", Path()))
    return path if known and known == digest else None


@cache
def stamp() -> str:
    """A name for this state of templates, texts and static files: part of every page's ETag."""
    root = assets.folder("web")
    digest = hashlib.sha256(version("bilbaokg").encode())
    for folder in ("templates", "static", "locale"):
        for path in sorted(p for p in (root / folder).rglob("*") if p.is_file()):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# ---- pages


def warm() -> None:
    """Read beforehand what pages of every language need, which takes longer than most pages."""
    stamp()
    for lang in languages():
        catalogue(lang)
        number(0, lang)
        for width in ("medium", "long"):
            when("2026-01-31", lang, width)


class _Context(jinja2.runtime.Context):
    """Calls what stands in a template as it is: none of our functions asks for the context, and to
    find that out takes longer than most of them."""

    def call(
        self, thing: Callable[..., Any], /, *args: Any, _loop_vars: Any = None,
        _block_vars: Any = None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """What a function or macro gives."""
        return thing(*args, **kwargs)


@cache
def environment() -> jinja2.Environment:
    """The one template environment."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.folder("web") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.context_class = _Context
    made.filters["safe_href"] = safe_href
    made.filters["jointed"] = jointed
    return made


def template_name(kind: type) -> str:
    """`DatasetPage` is drawn by `dataset.html`."""
    stem = kind.__name__.removesuffix("Page")
    return f"{re.sub(r'(?<!^)(?=[A-Z])', '_', stem).lower()}.html"


def page(content: Any, site: Site) -> str:
    """The HTML of a typed page."""
    lang = site.lang
    return environment().get_template(template_name(type(content))).render(
        page=content,
        site=site,
        lang=lang,
        t=lambda key, count=None, **values: translate(key, lang, count, **values),
        has_text=has_text,
        when=lambda value, width="long": when(value, lang, width),
        number=lambda value: number(value, lang),
        asset=lambda name: asset(name, site.root),
        has_asset=has_asset,
    )  # fmt: skip


def error_page(
    problem: Mapping[str, Any] | BilbaokgError,
    lang: str,
    *,
    root: str = "",
    path: str = "/",
    site: Site | None = None,
    near: list[tuple[str, str]] | None = None,
) -> str:
    """The HTML for a problem document (RFC 9457), in a language or the default one.

    `root` is the path prefix that we are served under and `path` the present path after the
    language, for the language switch; `site` says both and more where it is known.
    """
    body = problem.problem() if isinstance(problem, BilbaokgError) else problem
    lang = lang if lang in languages() else DEFAULT_LANGUAGE
    status = int(body.get("status", 500))
    code = str(body.get("type", "")).rpartition(":")[2]
    key = next(
        (k for k in (f"error.{code}", f"error.{status}") if has_text(f"{k}.title")), "error.500"
    )
    content = ErrorPage(
        status=status,
        title=translate(f"{key}.title", lang),
        detail=translate(f"{key}.text", lang),
        hint=body.get("hint"),
        # A fault of ours tells its number, never its inside.
        where=str(body.get("detail", "")) if status < 500 or status == 503 else None,
        line=body.get("line"),
        request_id=body.get("request_id"),
        near=near or [],
    )
    return page(content, site or Site(lang, root, path, title=translate("site.name", lang)))
