"""`python -m tests.bench.journeys`: clicks and seconds from `git clone` to enriched leads.

It clones this checkout into a new folder, starts `./up` with an empty HOME and empty caches, and goes on in Chromium as
a person would. docs/benchmarks.md has the figures of the last run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from leadflood.kernel.clock import monotonic
from tests.support.chromium import DESKTOP, arguments, program
from tests.support.messy_file import write_messy
from tests.support.postgres import temporary_home
from tests.support.processes import Running, free_port, until

ROOT = Path(__file__).resolve().parents[2]
OWNER = {
    "Your name": "Margaret Hamilton",
    "Email": "margaret@apollo.example",
    "Choose a password": "seven purple walruses",
    "Workspace name": "Apollo",
}
ROWS = 2_300
READY = "Press Ctrl-C to stop"
PATIENCE_MS = 600_000
"""After which a step counts as never ending."""
TITLE_ROWS = """\
Messekontakte Hannover;;;
Stand: 12.03.2026;;;
;;;
Vorname;Nachname;E-Mail-Adresse;Firma
Jürgen;Müller;juergen.mueller@nordlabs-de.de;Nordlabs
Zoë;Groß;zoe.gross@example.org;Groß & Söhne
"""


@dataclass
class Hands:
    """One person before a page. Counts clicks, keys such as Enter, and fields that were filled."""

    page: Page
    clicks: int = 0
    keys: int = 0
    fields: int = 0

    def click(self, target: Locator) -> None:
        """One click."""
        self.clicks += 1
        target.click()

    def press(self, key: str) -> None:
        """One key."""
        self.keys += 1
        self.page.keyboard.press(key)

    def fill(self, label: str, text: str) -> None:
        """One field, which is found by the beginning of its label."""
        self.fields += 1
        self.page.get_by_label(re.compile(f"^{re.escape(label)}")).first.fill(text)

    def type(self, text: str) -> None:
        """Text for the field that has the focus."""
        self.fields += 1
        self.page.keyboard.type(text)


@dataclass
class Journey:
    """One row of the report."""

    name: str
    seconds: float
    effort: str


@dataclass
class Report:
    """The journeys so far."""

    journeys: list[Journey] = field(default_factory=list)

    def add(self, name: str, seconds: float, effort: str) -> None:
        """Add one, and show it at once."""
        self.journeys.append(Journey(name, round(seconds, 1), effort))
        print(f"{seconds:6.1f} s  {name} ({effort})", flush=True)

    @contextmanager
    def measured(self, name: str, page: Page) -> Iterator[Hands]:
        """Measure what is done with these hands."""
        hands, started = Hands(page), monotonic()
        yield hands
        counts = {"clicks": hands.clicks, "keys": hands.keys, "fields": hands.fields}
        self.add(name, monotonic() - started, ", ".join(f"{count} {what}" for what, count in counts.items() if count))

    def table(self) -> Table:
        """All of them."""
        found = Table("journey", "seconds", "effort", title="Journeys")
        for journey in self.journeys:
            found.add_row(journey.name, f"{journey.seconds:g}", journey.effort)
        return found


def main() -> int:
    """Make the journeys and print them. Returns the exit code."""
    report = Report()
    with temporary_home() as folder, browser() as chromium:
        checkout = folder / "leadflood"
        write_messy(folder / "crm.csv", rows=ROWS)
        (folder / "messe.csv").write_text(TITLE_ROWS, encoding="cp1252")
        started = monotonic()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)  # noqa: S607  of PATH
        owned = _settings(folder, "owned")
        with _up(checkout, owned) as up:
            link = up.wait_for("/first-run/").split()[-1]
            up.wait_for(READY)
            report.add("git clone until ready, nothing installed", monotonic() - started, "1 command")
            _first_owner(report, _page(chromium, owned), link)
            report.add("git clone until the first enriched lead", monotonic() - started, "1 command, then as above")
        started = monotonic()
        with _up(checkout, owned) as up:
            up.wait_for(READY)
            report.add("again, installed, until ready", monotonic() - started, "1 command")
        _demo(report, chromium, checkout, folder)
    Console(width=140).print(report.table())
    return 0


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium with a window of its own for each page."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program(), args=arguments())


def _first_owner(report: Report, page: Page, link: str) -> None:
    page.goto(link)
    with report.measured("first-run form until home", page) as hands:
        for label, text in OWNER.items():
            hands.fill(label, text)
        hands.press("Enter")
        expect(page.get_by_label("Notifications")).to_contain_text("Welcome to Apollo")
    _new_lead(report, page, "ada.lovelace@gmail.com", "new lead until enriched")


def _demo(report: Report, chromium: Browser, checkout: Path, folder: Path) -> None:
    settings = _settings(folder, "demo")
    started = monotonic()
    with _up(checkout, settings, "--demo") as up:
        up.wait_for(READY)
        report.add("demo, installed, until ready with sample leads", monotonic() - started, "1 command")
        page = _page(chromium, settings)
        page.goto("/sign-in")
        with report.measured("sign in until home", page) as hands:
            hands.fill("Email", "demo@leadflood.local")
            hands.fill("Password", "demo-flood-2026")
            hands.press("Enter")
            expect(page.get_by_label("Main")).to_be_visible()
        _new_lead(report, page, "alan.turing@nordlabs-de.de", "new lead until its company was read")
        _import(report, page, folder / "messe.csv", "German file with title rows until its leads are shown")
        expect(page.get_by_text("Jürgen Müller")).to_be_visible()
        started = monotonic()
        _import(report, page, folder / "crm.csv", f"CRM export of {ROWS:,} rows until its leads are shown")
        until(lambda: "data-row" not in page.request.get("/leads?status=new").text())
        report.add("the same until all of them are enriched", monotonic() - started, "as above")


def _new_lead(report: Report, page: Page, email: str, name: str) -> None:
    page.goto("/leads")
    page.wait_for_load_state()
    with report.measured(name, page) as hands:
        hands.press("n")
        expect(page.get_by_role("dialog").get_by_label("Email")).to_be_focused()
        hands.type(email)
        hands.press("Enter")
        expect(page.locator("#lead-status")).to_contain_text("Enriched")


def _import(report: Report, page: Page, file: Path, name: str) -> None:
    page.goto("/leads")
    with report.measured(name, page) as hands:
        hands.click(page.get_by_role("link", name="Import", exact=True).last)
        page.get_by_label("CSV or XLSX file").set_input_files(file)
        hands.clicks += 1  # the file, in the dialog of the system
        expect(page.get_by_role("heading", level=1)).to_have_text(file.name)
        hands.click(page.get_by_role("button", name="Preview"))
        expect(page.locator("#import-status")).to_have_text("Preview ready")
        hands.click(page.get_by_role("button", name=re.compile(r"^Import [\d,]+ leads")))
        hands.click(page.get_by_role("link", name=re.compile(r"^View [\d,]+ leads")))
        expect(page.locator("#leads-list [data-row]").first).to_be_visible()


def _settings(folder: Path, name: str) -> Mapping[str, str]:
    """The environment of a fresh machine, with a data folder and a port of its own."""
    kept = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "SSL_", "LANG"))}
    return {
        **kept,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LEADFLOOD_HOME": str(folder / name),
        "LEADFLOOD_PORT": str(free_port()),
        "LEADFLOOD_DEV_MAIL_PORT": "0",
    }


@contextmanager
def _up(checkout: Path, settings: Mapping[str, str], *arguments: str) -> Iterator[Running]:
    running = Running(arguments, settings, checkout, program=[str(checkout / "up")])
    try:
        yield running
        running.stop()
    finally:
        running.clean_up()


def _page(chromium: Browser, settings: Mapping[str, str]) -> Page:
    context = chromium.new_context(base_url=f"http://127.0.0.1:{settings['LEADFLOOD_PORT']}", viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


if __name__ == "__main__":
    sys.exit(main())
