"""Pages and navigation items that belong to no domain."""

from leadflood.dev_mail.messages import is_in_use
from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.kernel.actor import Permission
from leadflood.kernel.pages import NavItem
from leadflood.web.sidebar import SETTINGS_COUNT

PAGES = tuple(
    f"leadflood.web.pages.{name}"
    for name in ("home", "palette", "help", "api_reference", "mail", "outgoing", "system", "offline", "bot", "design")
)
ITEMS = (
    NavItem("Home", "/", "house", "main", order=0, keys="g h"),
    NavItem("Settings", "/settings", "settings", "foot", order=90, keys="g s", failed=SETTINGS_COUNT),
    NavItem("Help", "/help", "info", "foot", order=95, words="documentation guide manual docs"),
    NavItem(
        "Mail catcher",
        "/mail",
        "mail",
        "system",
        order=235,
        permission=Permission.INSTANCE,
        words="settings email inbox development",
        available=is_in_use,
    ),
    NavItem(
        "Outgoing email",
        "/settings/outgoing",
        "send",
        "system",
        order=240,
        permission=Permission.INSTANCE,
        words="settings hold",
    ),
    NavItem(
        "Health",
        "/settings/health",
        "circle-check",
        "system",
        order=250,
        permission=WORKSPACE_WRITE,
        words="settings status doctor database",
    ),
)
