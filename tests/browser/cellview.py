"""One cell of an open notebook as a person sees it: its colours, its badge, the line that failed, what Tab offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

__all__ = ["CellView", "apart", "with_extension"]

ROOT = Path(__file__).parents[2]
#: makes it the active cell, in sight also where only cells in sight are in the page
SHOW = """index => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  return notebook.scrollToItem(index, 'smart');
}"""
SOURCE = "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.getSource()"
SET = """([index, text]) =>
  window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(text)"""
CURSOR = """() => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  return [notebook.activeCellIndex, notebook.activeCell.editor.getCursorPosition().line];
}"""
#: innermost spans: the colour that is seen
COLOURS = """root => [...root.querySelectorAll('.cm-line')].map(line => {
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent;
    if (text.trim()) found.push([text.trim(), getComputedStyle(walker.currentNode.parentElement).color]);
  }
  return found;
})"""
COLOUR = """([root, name]) => {
  const probe = root.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}"""


def with_extension(server: Path) -> None:
    """Let a server that is yet to start in this folder have our extension, whose own Python has not installed it."""
    folder = server / "home" / "data" / "labextensions"
    folder.mkdir(parents=True)
    (folder / "manta-nb").symlink_to(ROOT / "manta_nb" / "labextension")


class CellView:
    """A code cell of the notebook in front.

    ```
    worker = CellView(notebook.page, 1)
    worker.badge_is("defined", "worker v1")
    worker.type("%%module wor")
    worker.offers()                    # what Tab offers
    ```
    """

    def __init__(self, page: Page, index: int) -> None:
        self.page = page
        self.index = index
        self.root = page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')
        self.badge = self.root.locator(".mc-badge")
        self.failed_line = self.root.locator(".cm-line.mc-failed-line")
        self.reason = self.root.locator(".mc-reason")

    def show(self) -> None:
        """Make it the active cell, and scroll to it."""
        self.page.evaluate(SHOW, self.index)
        expect(self.root.locator(".cm-content")).to_be_visible()

    @property
    def source(self) -> str:
        """Its text."""
        return str(self.page.evaluate(SOURCE, self.index))

    def put(self, text: str) -> None:
        """Replace its text at once, as undo or another person would."""
        self.page.evaluate(SET, [self.index, text])

    def type(self, text: str, clear: bool = True) -> None:
        """Type into it, key by key."""
        self.show()
        self.root.locator(".cm-content").click()
        if clear:
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.press("Delete")
        self.page.keyboard.type(text)

    def colours(self) -> list[list[tuple[str, str]]]:
        """Of each line the texts and the colours they are seen in."""
        found: list[list[list[str]]] = self.root.locator(".cm-content").evaluate(COLOURS)
        return [[(text, colour) for text, colour in line] for line in found]

    def theme(self, name: str) -> str:
        """The colour that the theme has for a kind of word: `keyword`, `string`."""
        variable = f"--jp-mirror-editor-{name}-color"
        return str(self.page.evaluate(COLOUR, [self.root.locator(".cm-content").element_handle(), variable]))

    def parts(self, role: str) -> list[str]:
        """The words of its magic lines that are a `magic`, `name`, `option`, `value` or `comment`."""
        return self.root.locator(f".mc-{role}").all_inner_texts()

    def badge_is(self, look: str, text: str, timeout: float = 15) -> None:
        """Wait for its badge to say that."""
        found = self.root.locator(f'.mc-badge[data-look="{look}"]')
        expect(found).to_have_text(text, timeout=timeout * 1000)
        expect(found).to_be_visible()

    def no_badge(self) -> None:
        """Wait until it has none."""
        expect(self.badge.locator("visible=true")).to_have_count(0)

    def offers(self, timeout: float = 8) -> list[tuple[str, str]]:
        """What Tab offers at the cursor, each with its kind; a single one may not be taken by itself."""
        self.page.keyboard.press("Tab")
        items = self.page.locator(".jp-Completer:visible .jp-Completer-item")
        items.first.wait_for(timeout=timeout * 1000)
        found = [
            (
                item.locator(".jp-Completer-match").inner_text(),
                "".join(item.locator(".jp-Completer-typeExtended").all_inner_texts()),
            )
            for item in items.all()
        ]
        self.page.keyboard.press("Escape")
        return found

    def cursor(self) -> Any:
        """The active cell and the line of the cursor in it, both from 0."""
        return self.page.evaluate(CURSOR)


def apart(one: Locator, other: Locator) -> bool:
    """Whether two things that are seen do not lie over one another."""
    a, b = one.bounding_box(), other.bounding_box()
    assert a is not None and b is not None
    return (
        a["x"] + a["width"] <= b["x"]
        or b["x"] + b["width"] <= a["x"]
        or a["y"] + a["height"] <= b["y"]
        or b["y"] + b["height"] <= a["y"]
    )
