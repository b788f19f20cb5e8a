"""The monitor as the tests read it: what a person sees or a screen reader says, never pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

__all__ = ["Monitor", "Reading"]

#: all that the monitor shows at this moment and that must come back; time goes on by itself
STATE = """root => {
  const texts = (selector, within = root) => [...within.querySelectorAll(selector)].map(found => found.textContent.trim());
  return {
    name: texts('.mm-name, .mm-id'),
    status: root.querySelector('.mm-pill').dataset.status,
    iteration: root.querySelector('[role=progressbar]').getAttribute('aria-valuetext'),
    charts: [...root.querySelectorAll('.mm-chart')].map(chart => chart.getAttribute('aria-label')),
    graph: root.querySelector('svg[role=img]')?.getAttribute('aria-label').replace(/[0-9.]+ m?s\\b/g, '# s'),
    tabs: texts('[role=tab]'),
  };
}"""
#: `mean of 3 nodes · 0.273 to 0.558`; and how a screen reader says where that is, where it is not the newest
SPREAD = re.compile(r"mean of (\d+) nodes · (\S+) to ([^\s·]+)")
WHERE = re.compile(r"iteration ([\d.]+?)\. Left")
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
TABS = "root => [...root.querySelectorAll('[role=tab]')].map(tab => tab.firstChild.textContent)"


@dataclass(frozen=True)
class Reading:
    """What a chart says at the point that is looked at; `at` is where, None at its end."""

    mean: str
    low: str
    high: str
    n: int
    at: float | None


class Monitor:
    """A monitor in an output, or in the harness page; `kept` is what stays in the notebook of a run that is over."""

    def __init__(self, place: Locator, kept: bool = False) -> None:
        self.root = place.locator(".manta-monitor.mm-kept" if kept else ".manta-monitor").first

    @property
    def page(self) -> Page:
        """The page it is on."""
        return self.root.page

    def wait(self, status: str | None = None, iteration: int | None = None, timeout: float = 20) -> None:
        """Wait until it is there, with that status and as many committed iterations."""
        milliseconds = timeout * 1000
        expect(self.root).to_be_visible(timeout=milliseconds)
        if status is not None:
            pill = self.root.locator(".mm-pill")
            expect(pill).to_have_attribute("data-status", status, timeout=milliseconds)
        if iteration is not None:
            bar = self.root.get_by_role("progressbar", name="Iterations")
            expect(bar).to_have_attribute("aria-valuenow", str(iteration), timeout=milliseconds)

    def state(self) -> dict[str, Any]:
        """What it shows, as data."""
        return dict(self.root.evaluate(STATE))

    @property
    def status(self) -> str:
        """Of the run."""
        return str(self.state()["status"])

    def read(self, metric: str, key: str | None = None) -> Reading:
        """The numbers of a chart at its end, or where a key (`Home`, `ArrowLeft`) leads."""
        chart = self.root.locator(".mm-chart").filter(has=self.page.get_by_text(metric, exact=True)).first
        if key is not None:
            chart.focus()
            self.page.keyboard.press(key)
        spread = chart.locator(".mm-chart-spread").inner_text()
        found = SPREAD.match(spread)
        assert found, spread
        n, low, high = found.groups()
        mean = chart.locator(".mm-chart-value").inner_text()
        at = WHERE.search(chart.get_attribute("aria-label") or "")
        return Reading(mean, low, high, int(n), float(at[1]) if at else None)

    @property
    def tabs(self) -> list[str]:
        """The names of its tabs."""
        return [str(name) for name in self.root.evaluate(TABS)]

    def tab(self, name: str) -> Locator:
        """Open a tab; its panel, drawn."""
        self.root.get_by_role("tab", name=name).click()
        self.drawn()
        return self.root.get_by_role("tabpanel", name=name)

    def drawn(self) -> None:
        """Wait until what changed is on the screen: a panel is drawn in the frame after it is shown."""
        self.page.evaluate(FRAMES)

    def button(self, name: str) -> Locator:
        """A button."""
        return self.root.get_by_role("button", name=name)
