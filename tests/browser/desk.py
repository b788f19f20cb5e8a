"""JupyterLab without a notebook: its launcher, its menus, its file browser, and what it tells."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import Complaints
from tests.browser.notebook import OpenNotebook
from tests.browser.server import Server

__all__ = ["Desk"]


class Desk:
    """A JupyterLab that shows its launcher, in an empty folder of its own."""

    def __init__(self, page: Page, server: Server, folder: str) -> None:
        self.page, self.server = page, server
        self.complaints = Complaints(page)
        self.folder = server.folder / folder
        self.folder.mkdir()
        page.goto(server.address(f"lab/tree/{folder}?reset"))
        page.locator(".jp-LauncherCard").first.wait_for(timeout=60_000)
        # the launcher is of this folder once the file browser is in it
        expect(page.locator(".jp-BreadCrumbs-item, .jp-BreadCrumbs")).to_contain_text([folder])

    def card(self, name: str) -> Locator:
        """A card of the launcher."""
        return self.page.locator(".jp-LauncherCard").filter(has_text=name)

    def menu(self, *labels: str) -> Locator:
        """Open the menu "Manta", and point at one entry after the other; the last of them."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text="Manta").click()
        return self.point(labels)

    def context_menu(self, on: Locator, *labels: str) -> Locator:
        """The same in the menu of something that is clicked on."""
        on.click(button="right")
        return self.point(labels)

    def point(self, labels: tuple[str, ...]) -> Locator:
        """Point at entries of the menus that are open, one after the other; the last of them."""
        item = self.page.locator(".lm-Menu").last
        item.wait_for()
        for label in labels:
            item = self.page.locator(".lm-Menu-item", has=self.page.get_by_text(label, exact=True)).last
            item.hover()
        return item

    def entries(self) -> list[str]:
        """What the menu that was opened last has, without lines."""
        labels = self.page.locator(".lm-Menu").last.locator(
            ".lm-Menu-item:not([data-type=separator], .lm-mod-hidden)"
        )
        return [str(each) for each in labels.locator(".lm-Menu-itemLabel").all_inner_texts()]

    def close_menus(self) -> None:
        """As one clicks elsewhere."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Escape")
        expect(self.page.locator(".lm-Menu")).to_have_count(0)

    def notebook(self, name: str) -> OpenNotebook:
        """The notebook of that name that has been opened, when its kernel can run cells."""
        tab = self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current").filter(has_text=name)
        expect(tab).to_have_count(1, timeout=40_000)
        opened = OpenNotebook(self.page, self.server, self.folder / name)
        opened.ready()
        return opened

    def theme(self, name: str, light: bool) -> None:
        """Change it, and wait until it is there."""
        change = "theme => { window.jupyterapp.commands.execute('apputils:change-theme', {theme}); }"
        self.page.evaluate(change, name)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", str(light).lower())

    def sources(self) -> list[tuple[str, str]]:
        """The cells of the notebook in front."""
        found = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"
        )
        return [(each["cell_type"], each["source"]) for each in found]

    def files(self) -> list[str]:
        """What lies in its folder."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and ".ipynb_checkpoints" not in path.parts
        )

    def listed(self, name: str) -> Locator:
        """A file in the file browser."""
        return self.page.locator(".jp-DirListing-item", has=self.page.get_by_text(name, exact=True))

    def told(self, text: str) -> Locator:
        """A notification."""
        found = self.page.locator(".jp-toastContainer, .Toastify").get_by_text(text)
        found.first.wait_for(timeout=30_000)
        return found

    def close(self) -> None:
        """End its kernels; what the page complained of fails the test."""
        self.page.close()
        for session in self.server.ask("sessions"):
            self.server.ask(f"sessions/{session['id']}", "DELETE")
        assert self.complaints.texts == []
