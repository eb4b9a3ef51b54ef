"""What is looked for in a page that a browser shows, as sentences about what is wrong with it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bilbaokg import render

__all__ = [
    "SCREENSHOTS",
    "Examined",
    "Watched",
    "faults_of_layout",
    "faults_of_outline",
    "faults_of_structure",
    "picture",
]

# Pictures of what the tests saw; git ignores them and `tasks.py clean` takes them away.
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"

# What sticks out to the right, unless something around it scrolls by itself.
_OVERFLOW = """() => {
  const limit = document.documentElement.clientWidth;
  const scrolls = e => e && (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)
    || scrolls(e.parentElement));
  const wide = [...document.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > limit + 1 && !scrolls(e.parentElement));
  const page = document.documentElement.scrollWidth > limit ? ['the page scrolls'] : [];
  return [...page, ...wide.map(e => e.outerHTML.slice(0, 120))].slice(0, 5);
}"""
# A4 less the margins of the style sheet (16 mm), in CSS pixels: upright, and turned.
_PAPER = {
    turned: round((side - 2 * 16) / 25.4 * 96) for turned, side in ((False, 210), (True, 297))
}
# What sticks out of the paper, or is longer than what shows of it.
_CUT = """() => [...document.querySelectorAll('main *:not(.hidden, .hidden *)')].filter(e =>
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
  || ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)
    && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 120)).slice(0, 3)"""
_STRUCTURE = """() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const stops = all('a[href], button, input:not([type=hidden]), select, textarea, summary');
  const unsafe = a => !/^(https?|mailto|tel|blob):$/.test(a.protocol || 'http:');
  const faults = [];
  const wrong = (is, what) => is && faults.push(what);
  wrong(all('h1').length !== 1 || !all('h1')[0].innerText.trim(), 'not one heading of level 1');
  wrong(!/.+ · .+/.test(document.title), `title: ${document.title}`);
  wrong(stops[0]?.className !== 'skip', 'the first stop of the keyboard does not skip');
  wrong(!document.getElementById(stops[0]?.hash?.slice(1)), 'it skips to nothing');
  for (const a of all('a[href], area[href], form[action]'))
    wrong(unsafe(a.matches('form') ? new URL(a.action) : a), `leads to ${a.outerHTML}`);
  for (const e of all('iframe, object, embed, base, style, [style], img:not([src^="/static/"])'))
    wrong(true, `does not belong here: ${e.outerHTML.slice(0, 120)}`);
  wrong(all('[srcdoc], [onerror], [onload], [onclick], [onfocus], [onmouseover]').length,
    'an attribute that runs');
  for (const [, language] of document.querySelector('nav.langs').innerHTML
    .matchAll(/hreflang="([a-z-]+)"/g))
    wrong(!all(`link[hreflang=${language}]`).length, `no address in ${language}`);
  return faults;
}"""
# The first element of each look, looks as numbers: equal ones have equal colours, in the light and
# in the dark. A look is what style sheets see of an element and of all around it, and its style.
_LOOKS = """(() => {
  const says = e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
  const number = text => { let sum = 7; for (let at = 0; at < text.length; at++)
    sum = Math.imul(sum ^ text.charCodeAt(at), 16777619); return sum >>> 0; };
  const walk = (e, around, found) => {
    const style = getComputedStyle(e);
    const look = number([around, e.tagName, e.getAttribute('class'), e.getAttribute('type'),
      e.getAttribute('aria-current'), e.getAttributeNames(), says(e), style.color, style.opacity,
      style.backgroundColor, style.fontSize, style.fontWeight, style.textDecorationLine,
      style.display, style.visibility].join(' '));
    found.has(look) || found.set(look, {e, alone: says(e) || !e.children.length});
    for (const inner of e.children) walk(inner, look, found);
    return found;
  };
  return walk(document.body, 0, new Map());
})()"""
# Those of some looks that hold text, or nothing.
_THESE = f"""looks => (found => looks.map(look => found.get(look)).filter(each => each.alone)
  .map(each => each.e))({_LOOKS})"""
_AXE = """async ([where, options]) => {
  const told = where.length && await axe.run(where, {resultTypes: ['violations'], ...options});
  return told ? told.violations.map(each => `axe: ${each.id}: ${each.nodes.slice(0, 3).map(n =>
    n.html.slice(0, 150)).join(' ')}`) : [];
}"""
_LANDMARKS = ("banner", "main", "contentinfo")
_COLOURS = ["color-contrast", "link-in-text-block"]
_WORDS = {"rules": {rule: {"enabled": False} for rule in _COLOURS}}
_COLOURED = {"runOnly": {"type": "rule", "values": _COLOURS}}


class Watched:
    """A tab that notes what went wrong: console messages, and requests to other hosts."""

    def __init__(self, tab: Any, home: str) -> None:
        self.tab, self.home = tab, home
        # How long a page or its script takes says more of the machine than of the page.
        tab.set_default_timeout(120_000)
        self.messages: list[str] = []
        self.foreign: list[str] = []
        tab.on("console", lambda message: self.messages.append(message.text))
        tab.on("pageerror", lambda error: self.messages.append(str(error)))
        tab.on("request", self._note)
        tab.on("dialog", self._close)

    def _note(self, request: Any) -> None:
        url = request.url
        if not url.startswith((self.home, "data:")):
            self.foreign.append(url)

    def _close(self, dialog: Any) -> None:
        self.messages.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def taken(self, status: int = 200) -> list[str]:
        """What went wrong since this was asked last; a page of an error has its status noted."""
        noted = f"the server responded with a status of {status}"
        messages = [text for text in self.messages if status == 200 or noted not in text]
        found = [*messages, *(f"asked {url}" for url in self.foreign)]
        self.messages.clear()
        self.foreign.clear()
        return found


@cache
def _axe() -> str:
    """The checker of accessibility that the package carries."""
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    return next(Path(package.__file__).parent.rglob("axe.min.js")).read_text("utf-8")


def picture(tab: Any, name: str, *, whole: bool = True) -> None:
    """Keep how a page looks, from its head to its foot or what is on the screen."""
    # Not PNG: a long page takes three times as long.
    path = SCREENSHOTS / f"{name}.jpg"
    tab.screenshot(path=path, type="jpeg", quality=80, full_page=whole)


def faults_of_layout(tab: Any) -> list[str]:
    """What is wider than the screen."""
    return [f"too wide: {what}" for what in tab.evaluate(_OVERFLOW)]


def faults_of_print(tab: Any) -> list[str]:
    """What is cut off where the page is printed on A4, upright or turned as it wants to be."""
    tab.emulate_media(media="print")
    turned = tab.evaluate("getComputedStyle(document.body).page") == "wide"
    tab.set_viewport_size({"width": _PAPER[turned], "height": 900})
    cut = tab.evaluate(_CUT)
    tab.emulate_media(media="screen")
    return [f"cut off on paper: {what}" for what in cut]


def faults_of_structure(tab: Any, lang: str) -> list[str]:
    """What every page has and does not have, whatever it shows."""
    told = tab.evaluate("document.documentElement.lang")
    return [*([] if told == lang else [f"its language is {told}"]), *tab.evaluate(_STRUCTURE)]


def faults_of_outline(tab: Any, lang: str) -> list[str]:
    """What a screen reader would miss: landmarks in their order, a heading, names of regions."""
    told = tab.locator("body").aria_snapshot()
    outline = re.findall(r'^- (\w+(?: "[^"]*")?)', told, re.MULTILINE)
    skip = render.translate("site.skip", lang)
    banner = told.partition("- banner:")[2].partition("- main:")[0]
    lists = [render.translate(text, lang) for text in ("site.languages", "site.sections")]
    unnamed = re.findall(r"^\s*- (table|navigation|region):?$", told, re.MULTILINE)
    wrong = {
        f"its landmarks are {outline}": outline != [f'link "{skip}"', *_LANDMARKS],
        "the banner lacks a navigation": any(f'- navigation "{n}"' not in banner for n in lists),
        "not one heading of level 1 is told": len(re.findall(r"heading .*\[level=1\]", told)) != 1,
        f"without a name: {unnamed}": bool(unnamed),
    }
    return [what for what, is_so in wrong.items() if is_so]


class Examined:
    """Looks through pages with axe; at what follows from a look once for each look.

    Colours take most of the time of axe. They follow from how elements look, not from the words:
    of those that look the same in a width one is examined, whatever page it stands on. All other
    rules are asked of every page as it was opened, and of a width it takes afterwards where
    anything looks otherwise than before.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def faults(self, tab: Any, *, again: bool = False) -> list[str]:
        """What axe finds in a page as it is shown now, and in its dark colours.

        again: whether the page has been examined already, in another width.
        """
        width = tab.viewport_size["width"]
        looks = [int(each) for each in tab.evaluate(f"[...{_LOOKS}.keys()]")]
        new = [each for each in looks if (each, width) not in self._seen]
        self._seen.update((each, width) for each in new)
        if again and not new:
            return []
        # The policy of the site forbids inline scripts, so axe is evaluated, not inserted.
        if tab.evaluate("typeof axe") == "undefined":
            tab.evaluate(f"(() => {{{_axe()}}})()")
            tab.add_init_script(_axe())  # so that pages opened from now on have it
        found: list[str] = tab.evaluate(_AXE, ["html", _WORDS])
        these = tab.evaluate_handle(_THESE, new)
        for scheme in ("dark", "light") if new else ():
            tab.emulate_media(color_scheme=scheme)
            found += [f"{scheme}: {fault}" for fault in tab.evaluate(_AXE, [these, _COLOURED])]
        return found
