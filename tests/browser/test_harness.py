"""The monitor on recorded runs: every state looked at, narrow and wide, dark and light, by eye, by axe, by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser import harness
from tests.browser.chromium import Complaints, shoot
from tests.browser.harness import Harness, violations
from tests.browser.screen import Monitor

pytestmark = pytest.mark.timeout(90)

STATES = ("empty", "running", "failed", "interrupted", "eight", "tenthousand")
WIDTHS = (600, 1400)
THEMES = ("light", "dark")
#: by how many pixels the page, or an element that does not scroll by itself, is wider than the window
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
NODES = "root => root.querySelectorAll('*').length"
#: how a screen reader calls an element; a tab without the count beside its name
NAMED = """(element => `${element.getAttribute('role') ?? element.tagName.toLowerCase()} `
  + (element.getAttribute('aria-label') ?? (element.matches('[role=tab]') ? element.firstChild : element).textContent)
    .trim().slice(0, 60))"""
FOCUSED = f"() => document.activeElement === document.body ? '' : {NAMED}(document.activeElement)"
FROM_THE_TOP = "() => { document.body.tabIndex = -1; document.body.focus(); }"
#: every button and field that one can see and use; what has no place in the order of Tab is led to by arrow keys
REACHABLE = f"""root => [...root.querySelectorAll('button, input, select, [role=tab]')]
  .filter(element => !element.disabled && element.tabIndex >= 0)
  .filter(element => element.checkVisibility({{visibilityProperty: true}}))
  .map({NAMED})"""


@pytest.fixture(scope="module")
def replay() -> Iterator[Harness]:
    """The harness page, built now."""
    try:
        harness.build()
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with Harness() as serving:
        yield serving


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose complaints fail the test."""
    made = context.new_page()
    complaints = Complaints(made)
    yield made
    assert complaints.texts == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", STATES)
def test_each_state(page: Page, replay: Harness, state: str, width: int, theme: str) -> None:
    """Every tab of every state is drawn without an error, fits its width, and has at most 3,000 elements."""
    page.set_viewport_size({"width": width, "height": 900})
    monitor = replay.open(page, state, theme)
    names = monitor.tabs
    shoot(monitor.root, f"monitor-{state}-{width}-{theme}")
    seen = {}
    for name in names:
        monitor.tab(name)
        seen[name] = (page.evaluate(TOO_WIDE), monitor.root.evaluate(NODES))
        if state in ("eight", "tenthousand"):
            shoot(monitor.root, f"monitor-{state}-{width}-{theme}-{name.lower()}")

    assert len(names) >= 5
    assert {name: wide for name, (wide, _) in seen.items() if wide > 0} == {}
    assert {name: count for name, (_, count) in seen.items() if count > 3000} == {}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Page, replay: Harness, state: str, theme: str) -> None:
    """No tab breaks a rule of WCAG A or AA that a machine can check: names, roles, contrast."""
    monitor = replay.open(page, state, theme)
    found = {}
    for name in monitor.tabs:
        monitor.tab(name)
        found[name] = violations(page)

    assert {name: broken for name, broken in found.items() if broken} == {}


def test_the_keyboard_reaches_everything(page: Page, replay: Harness) -> None:
    """Tab and the arrow keys go through every tab and every button, and each has a name."""
    monitor = replay.open(page, "eight")
    heard, missed = [], {}
    for name in monitor.tabs:
        reached = walk(monitor, name)
        heard += reached
        missed[name] = [each for each in monitor.root.evaluate(REACHABLE) if each not in reached]

    assert {f"tab {name}" for name in monitor.tabs} <= set(heard)
    assert {name: each for name, each in missed.items() if each} == {}
    assert [each for each in heard if not each.partition(" ")[2]] == []


def walk(monitor: Monitor, tab: str) -> list[str]:
    """Tab from the top of the page to its end; in the list of tabs the right arrow goes to that of `tab`."""
    page = monitor.page
    heard: list[str] = []
    page.evaluate(FROM_THE_TOP)
    for _ in range(300):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        for _ in range(10):
            if not here.startswith("tab ") or here == f"tab {tab}":
                break
            page.keyboard.press("ArrowRight")
            here = page.evaluate(FOCUSED)
        if not here:
            break
        heard.append(here)
        if here.startswith("tab "):
            monitor.drawn()
    return heard


def test_hostile_text_is_read_as_written(page: Page, replay: Harness) -> None:
    """Whatever a stranger wrote into names, tags, lines and errors: no script of it runs, no element is made of it."""
    monitor = replay.open(page, "hostile")
    texts = []
    for name in monitor.tabs:
        monitor.tab(name)
        texts.append(monitor.root.inner_text())

    assert (
        page.evaluate("() => [window.pwned, window.hacked, window.xss].filter(it => it !== undefined)") == []
    )
    assert any("<script" in text or "<img" in text for text in texts)
    assert monitor.root.locator("script, iframe, object, img, [onerror], [onclick], [onload]").count() == 0
