"""A workspace with a profile and rules, and helpers that run them as their jobs do."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.rules.service import running
from tests.integration.icps.desk import Desk, criterion

GERMAN = criterion("german", {"field": "lead.country", "in": ["DE"]}, 40)
WON = criterion("won", {"field": "lead.stage", "in": ["customer"]}, -40)


@dataclass
class RuleDesk(Desk):
    """Leads from Germany are in tier A, all others in tier C."""

    async def published(self, *criteria: dict[str, Any], name: str = "Main") -> str:
        icp_id = str((await self.profile(*(criteria or (GERMAN,)), name=name))["id"])
        await self.publish(icp_id, 1)
        return icp_id

    async def draft(self, icp_id: str, body: dict[str, Any]) -> int:
        """Save a draft. Returns its number."""
        version = (await self.ask("GET", f"/v1/icps/{icp_id}"))["version"]
        saved = await self.ask("PUT", f"/v1/icps/{icp_id}/draft", match=f'"{version}"', body=body)
        return int(saved["draft"]["number"])

    async def rule(self, icp_id: str, *actions: tuple[str, str], **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
        given = {"name": "Hot leads", "trigger": "enters", "tier": "A", "enabled": True, **more}
        listed = [{"type": type_, "target": target} for type_, target in actions or (("addTag", "Hot"),)]
        made: dict[str, Any] = await self.ask("POST", "/v1/rules", status=201, icpId=icp_id, actions=listed, **given)
        return made

    async def move(self, lead_id: str, country: str) -> None:
        """Change the country of a lead, and so its tier."""
        lead = await self.ask("GET", f"/v1/leads/{lead_id}")
        await self.ask("PATCH", f"/v1/leads/{lead_id}", match=f'"{lead["version"]}"', country=country)

    async def compare(self, icp_id: str) -> int:
        async with self.database.transaction(self.caller.workspace_id) as tx:
            return await running.compare_tiers(tx, self.actor, icp_id=UUID(icp_id))

    async def run(self) -> int:
        """Run the rules on all changes of tiers. Returns how many there were."""
        total, done = 0, 1
        while done:
            async with self.database.transaction(self.caller.workspace_id) as tx:
                done = await running.run_marked(tx, self.actor)
            total += done
        return total

    async def tags(self, lead_id: str) -> list[str]:
        return [each["name"] for each in (await self.ask("GET", f"/v1/leads/{lead_id}/tags"))["items"]]

    async def runs(self, rule_id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.ask("GET", f"/v1/rules/{rule_id}/runs"))["items"]
        return items

    async def timeline(self, lead_id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.ask("GET", f"/v1/leads/{lead_id}/events"))["items"]
        return items
