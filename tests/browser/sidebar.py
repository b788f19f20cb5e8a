"""The sidebar as the tests read it: what a person sees or a screen reader says, never pixels."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.notebook import COMMAND

__all__ = ["Sidebar"]

#: all that it shows of the kernel and that must come back; when something was is left out
STATE = """root => {
  const seen = selector => [...root.querySelectorAll(selector)].filter(found => found.checkVisibility());
  const text = (within, selector) => within.querySelector(selector)?.textContent.trim() ?? '';
  return {
    notebook: text(root, '.ms-notebook'),
    nodes: seen('.ms-node').map(row => [text(row, '.ms-node-name'), row.dataset.state]),
    runs: seen('.ms-run').map(row => [text(row, '.ms-run-name'), row.dataset.status,
      text(row, '.ms-run-best'), text(row, '.ms-run-facts').split(' · ')[0]]),
    globals: seen('[data-part=Globals] .ms-tag').map(tag => tag.textContent),
    results: seen('[data-part=Results] .ms-tag').map(tag => tag.textContent),
  };
}"""


class Sidebar:
    """The sidebar "Manta" of a page; made, it is opened.

    ```
    sidebar.wait_run("fl", "running", "3 of 20")
    sidebar.button("Stop fl").click()
    ```
    """

    def __init__(self, page: Page, timeout: float = 20) -> None:
        self.page = page
        self.root = page.locator(".manta-sidebar")
        self._milliseconds = timeout * 1000
        page.evaluate(COMMAND, ["manta-nb:show-sidebar", {}])
        expect(self.root).to_be_visible(timeout=self._milliseconds)

    def state(self) -> dict[str, Any]:
        """What it shows, as data."""
        return dict(self.root.evaluate(STATE))

    def button(self, name: str) -> Locator:
        """A button of it, by its whole name."""
        return self.root.get_by_role("button", name=name, exact=True)

    def run(self, name: str) -> Locator:
        """The latest run of that name."""
        named = self.page.locator(".ms-run-name").get_by_text(name, exact=True)
        return self.root.locator(".ms-run").filter(has=named).first

    def wait_nodes(self, count: int) -> None:
        """Wait until it shows so many nodes."""
        expect(self.root.locator(".ms-node")).to_have_count(count, timeout=self._milliseconds)

    def wait_run(self, name: str, status: str, iterations: str = "") -> None:
        """Wait until a run has that status, and as many iterations: `3 of 20`."""
        run = self.run(name)
        expect(run).to_have_attribute("data-status", status, timeout=self._milliseconds)
        expect(run.locator(".ms-run-facts")).to_contain_text(iterations, timeout=self._milliseconds)

    def wait_results(self, *tags: str) -> None:
        """Wait until these are the tags of the Results; it looks for them twice a second."""
        shown = self.root.locator("[data-part=Results] .ms-tag")
        expect(shown).to_have_text(list(tags), timeout=self._milliseconds)

    def value(self, tag: str) -> Locator:
        """Open a Global or a Result, and wait until the kernel has answered; what is shown of it."""
        item = self.root.locator(".ms-value-item").filter(
            has=self.page.locator(".ms-tag").get_by_text(tag, exact=True)
        )
        item.locator(".ms-value-row").click()
        shown = item.locator(".ms-preview")
        shown.locator(".mp-facts, .mp-pre").first.wait_for(timeout=self._milliseconds)
        return shown
