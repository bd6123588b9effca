"""Every domain declares itself, and `bootstrap` knows all of them."""

from collections import Counter

from leadflood.bootstrap import DOMAINS, NAVIGATION, TIMELINE, page_modules
from leadflood.domains.leads.events import LeadEventKind
from tests.architecture.source import ROOT


def test_every_folder_of_a_domain_is_declared_under_its_name() -> None:
    folders = {path.parent.name for path in (ROOT / "src/leadflood/domains").glob("*/__init__.py")}

    assert Counter(domain.name for domain in DOMAINS) == Counter(folders)


def test_every_place_of_the_navigation_is_a_page_with_keys_and_an_icon_of_its_own() -> None:
    paths = {rule.path for pages in page_modules() for rule in pages.rules if rule.method == "GET"}
    icons = (ROOT / "src/leadflood/web/frontend/icons.txt").read_text(encoding="utf-8").split()
    keys = [item.keys for item in NAVIGATION.with_keys]

    assert {item.href.partition("?")[0] for item in NAVIGATION.items} <= paths
    assert {item.icon for item in NAVIGATION.items} <= set(icons)
    assert len(keys) == len(set(keys)) > 4


def test_every_kind_of_entry_in_the_timeline_of_a_lead_is_declared() -> None:
    assert set(LeadEventKind) <= set(TIMELINE)
