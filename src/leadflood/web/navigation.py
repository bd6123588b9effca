"""Navigation items that belong to no domain."""

from leadflood.kernel.actor import Permission
from leadflood.kernel.pages import NavItem

ITEMS = (
    NavItem("Home", "/", "house", "main", order=0, keys="g h"),
    NavItem("Settings", "/settings", "settings", "main", order=90, keys="g s", under=("/settings/", "/mail/")),
    NavItem(
        "Outgoing email",
        "/settings/outgoing",
        "send",
        "installation",
        order=180,
        permission=Permission.INSTANCE,
        words="settings hold",
    ),
)
