import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader

import leadflood.web
from leadflood.bootstrap import NAVIGATION
from leadflood.kernel.pages import NavItem
from leadflood.web import labels
from leadflood.web.assets import Assets
from leadflood.web.formats import DEFAULT
from leadflood.web.sidebar import Sidebar, current_below, is_current
from leadflood.web.templating import Templates

WEB = Path(leadflood.web.__file__).parent
TEMPLATES = WEB / "templates"
EVIL = """"><script>alert('x')</script>&"""


class _Reader(SimpleNamespace):
    """The reader as templates see it."""

    def may(self, permission: str) -> bool:
        return True

    def places(self, *items: NavItem) -> list[NavItem]:
        return list(items)

    def below(self, item: NavItem) -> list[NavItem]:
        return NAVIGATION.below(item)

    def is_current(self, item: NavItem) -> bool:
        return is_current(NAVIGATION, item, self.path)

    def current_below(self, items: list[NavItem]) -> NavItem | None:
        return current_below(items, self.path, {})


def _visit() -> _Reader:
    workspace = SimpleNamespace(id=1, name=EVIL)
    return _Reader(
        user=SimpleNamespace(name=EVIL, email="ada@example.com"),
        workspace=workspace,
        workspaces=[workspace],
        csrf="token",
        path="/design",
        theme="dark",
        toasts=[],
        signed_in=True,
        now=datetime(2026, 3, 4, tzinfo=UTC),
        time_zone=UTC,
        region=DEFAULT,
        command_key="Ctrl",
        navigation=NAVIGATION,
        sidebar=Sidebar(),
    )


@pytest.fixture(scope="module")
def views() -> Templates:
    return Templates(Assets.load(), reload=False)


@pytest.fixture(scope="module")
def active(views: Templates) -> str:
    return views.page("design.html", {"ctx": _visit(), "live_url": ""})


def _macros() -> list[tuple[str, str]]:
    """Each public macro with the file that defines it."""
    return [
        (name, path.name)
        for path in sorted((TEMPLATES / "components").glob("*.html"))
        for name in re.findall(r"{%-? macro ([a-z]\w*)\(", path.read_text())
    ]


def test_no_two_components_have_the_same_name() -> None:
    names = [name for name, _ in _macros()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "file"), _macros())
def test_each_component_is_on_the_living_page_or_in_a_layout_and_in_the_guide(name: str, file: str) -> None:
    shown = "".join((TEMPLATES / page).read_text() for page in ("design.html", "layout.html", "public.html"))
    assert f"ui.{name}(" in shown, f"show ui.{name} ({file}) in design.html"
    assert f"{name}(" in (WEB / "README.md").read_text(), f"name {name} in src/leadflood/web/README.md"


def test_nothing_inline_that_the_content_policy_forbids(active: str) -> None:
    assert not re.search(r"""\s(style|on[a-z]+)\s*=\s*["']""", active)
    assert not re.search(r"<script(?![^>]*\ssrc=)", active)
    assert "<style" not in active


def test_names_that_people_give_are_escaped(active: str) -> None:
    assert "&lt;script&gt;alert" in active
    assert "<script>alert" not in active


def test_attributes_cannot_be_broken_out_of(views: Templates) -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.globals |= {"icon": lambda name: "", "labels": labels}
    source = """
    {% import "components/field.html" as f %}{% import "components/button.html" as b %}
    {% import "components/code.html" as c %}{% import "components/chip.html" as h %}
    {{ f.field("a", evil, evil, hint=evil, error=evil, attrs={"placeholder": evil}) }}
    {{ f.textarea("b", evil, evil) }}{{ f.select("c", evil, [(evil, evil)], evil) }}
    {{ b.icon_button(evil, "x", keys=evil) }}{{ c.copy_button(evil) }}{{ h.chip(evil, evil, evil) }}
    """
    html = environment.from_string(source).render(evil=EVIL)
    assert "<script" not in html
    assert "&#34;&gt;&lt;script" in html


def test_each_icon_that_a_template_names_is_in_the_build() -> None:
    known = set((WEB / "frontend/icons.txt").read_text().split("\n"))
    named = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"""(?:\bicon\(|glyph=)"([a-z0-9-]+)\"""", path.read_text())
    }
    assert named <= known


def test_every_style_of_a_component_is_in_the_one_stylesheet() -> None:
    index = (WEB / "frontend/css/index.css").read_text()
    for path in (WEB / "frontend/css/components").glob("*.css"):
        assert f'"./components/{path.name}" layer(components)' in index


MADE_SAFE = {"mail/mail.html": "nh3 cleans the message when dev_mail.messages reads it"}


def test_only_words_of_the_templates_themselves_are_marked_as_safe() -> None:
    for path in TEMPLATES.rglob("*.html"):
        if path.relative_to(TEMPLATES).as_posix() not in MADE_SAFE:
            for before in re.findall(r"(.)\s*\|\s*safe\b", path.read_text()):
                assert before in "'\"", path.name
