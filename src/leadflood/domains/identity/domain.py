"""Declaration of the identity domain."""

from leadflood.domains.identity.participant import PARTICIPANT
from leadflood.domains.identity.permissions import AUDIT_READ, KEYS_READ, MEMBERS_READ, PERMISSIONS, WORKSPACE_READ
from leadflood.kernel.domain import Domain
from leadflood.kernel.pages import NavItem

DOMAIN = Domain(
    name="identity",
    participants=(PARTICIPANT,),
    permissions=PERMISSIONS,
    routes=(
        "leadflood.api.routes.auth",
        "leadflood.api.routes.sessions",
        "leadflood.api.routes.members",
        "leadflood.api.routes.api_keys",
        "leadflood.api.routes.workspace",
        "leadflood.api.routes.audit",
        "leadflood.api.routes.instance",
    ),
    pages=(
        "leadflood.web.pages.sign_in",
        "leadflood.web.pages.settings",
        "leadflood.web.pages.sessions",
        "leadflood.web.pages.workspace",
        "leadflood.web.pages.members",
        "leadflood.web.pages.api_keys",
        "leadflood.web.pages.audit",
        "leadflood.web.pages.first_run",
    ),
    navigation=(
        NavItem("Profile", "/settings", "user", "you", order=101, words="settings password account name time zone"),
        NavItem("Appearance", "/settings/appearance", "moon", "you", order=102, words="settings theme dark light"),
        NavItem("Sessions", "/settings/sessions", "monitor", "you", order=103, words="settings devices sign out"),
        NavItem(
            "General",
            "/settings/workspace",
            "settings",
            "workspace",
            order=110,
            permission=WORKSPACE_READ,
            words="settings workspace name",
        ),
        NavItem(
            "Members",
            "/settings/members",
            "users",
            "workspace",
            order=130,
            permission=MEMBERS_READ,
            words="settings invite people",
        ),
        NavItem(
            "API keys",
            "/settings/api-keys",
            "key-round",
            "workspace",
            order=140,
            permission=KEYS_READ,
            words="settings token program",
        ),
        NavItem(
            "Audit log",
            "/settings/audit",
            "clock",
            "workspace",
            order=170,
            permission=AUDIT_READ,
            words="settings history who",
        ),
    ),
)
