"""Every domain declares itself, and `bootstrap` knows all of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass

from leadflood.bootstrap import DOMAINS, NAVIGATION, TIMELINE, page_modules
from leadflood.domains.leads.events import LeadEventKind
from leadflood.kernel.actor import PERMISSIONS, Permission, Role
from tests.architecture.source import ROOT, Source, sources


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


def declarations(value: object) -> Iterator[object]:
    """Everything that a declaration consists of."""
    yield value
    parts: Iterable[object] = ()
    if is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, tuple | list):
        parts = value
    for part in parts:
        yield from declarations(part)


def test_every_icon_that_a_domain_declares_is_one_of_the_front_end() -> None:
    icons = set((ROOT / "src/leadflood/web/frontend/icons.txt").read_text(encoding="utf-8").split())
    found = {(type(each).__name__, each.icon) for each in declarations(DOMAINS) if hasattr(each, "icon")}

    assert {kind for kind, _ in found} >= {"AuditGroup", "NavItem", "TimelineKind", "BulkOperation"}
    assert [each for each in found if each[1] not in icons] == []


def test_every_kind_of_entry_in_the_timeline_of_a_lead_is_declared() -> None:
    assert set(LeadEventKind) <= set(TIMELINE)


def foreign_imports(source: Source) -> Iterator[tuple[str, str, str]]:
    """The domain of a file, another one that it imports from, and the module there."""
    own = source.path.split("/")[3]
    for name in source.imports.values():
        parts = name.split(".")
        if parts[:2] == ["leadflood", "domains"] and len(parts) > 3 and parts[2] != own:
            yield own, parts[2], parts[3]


def test_a_domain_calls_only_those_after_it_and_never_their_stores() -> None:
    order = {domain.name: place for place, domain in enumerate(DOMAINS)}
    found = {each for source in sources("src/leadflood/domains") for each in foreign_imports(source)}

    assert len(found) > 50
    assert [each for each in found if order[each[0]] > order[each[1]] or each[2] == "store"] == []


def test_every_permission_is_declared_by_one_domain_and_says_what_it_allows() -> None:
    declared = [permission for domain in DOMAINS for permission in domain.permissions]

    assert Counter(declared) == Counter(set(Permission) - {Permission.INSTANCE})
    assert [permission for permission in declared if permission not in PERMISSIONS[Role.OWNER]] == []
    assert [permission for permission in declared if permission.grantable and not permission.label] == []
