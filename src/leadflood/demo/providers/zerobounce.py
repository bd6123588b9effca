"""Twin of ZeroBounce (API v2), from its documentation."""

from collections.abc import Mapping
from typing import ClassVar, Final

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import company_of
from leadflood.demo.providers.twin import Twin, TwinCall, json_page

_ROLES: Final = frozenset({"info", "sales", "office", "support"})


class ZeroBounceTwin(Twin):
    """Validation, credits and usage. One credit for each answer but `unknown`; errors have the status 200."""

    hosts = ("api.zerobounce.net",)
    key: ClassVar[str] = "zerobounce-demo-key-0003"

    def __init__(self) -> None:
        super().__init__()
        self.unknown = 0

    def given_key(self, request: Received, query: Mapping[str, str]) -> str:  # noqa: ARG002  of all twins
        """The parameter, which is the only way."""
        return query.get("api_key", "")

    def unauthorized(self) -> SitePage:
        """200, as documented."""
        return json_page({"error": "Invalid API key or your account ran out of credits"})

    def answer(self, call: TwinCall) -> SitePage:
        """One of the three methods."""
        match call.path:
            case "/v2/validate":
                return self._validate(call.query.get("email", ""))
            case "/v2/getcredits":
                return json_page({"Credits": str(self.credits)})
            case "/v2/getapiusage":
                total = self.charged + self.unknown
                return json_page({"total": total, "status_valid": self.charged, "status_unknown": self.unknown})
        return json_page({"error": "Not found"}, 404)

    def _validate(self, email: str) -> SitePage:
        local, _, domain = email.rpartition("@")
        status, sub_status = "invalid", "mailbox_not_found"
        if local.startswith("greylisted"):
            self.unknown += 1
            return json_page(_record(email, "unknown", "greylisted"))
        if not local:
            sub_status = "failed_syntax_check"
        elif company_of(domain) is not None:
            status, sub_status = ("do_not_mail", "role_based") if local in _ROLES else ("valid", "")
        if not self.charge(f"validate {email}"):
            return json_page({"error": "Invalid API key or your account ran out of credits"})
        return json_page(_record(email, status, sub_status))


def _record(email: str, status: str, sub_status: str) -> dict[str, object]:
    local, _, domain = email.rpartition("@")
    return {
        "address": email,
        "status": status,
        "sub_status": sub_status,
        "account": local,
        "domain": domain,
        "did_you_mean": None,
        "domain_age_days": "4000",
        "free_email": False,
        "mx_found": "true",
        "firstname": None,
        "lastname": None,
        "processed_at": "2026-11-30 12:00:00.000",
    }
