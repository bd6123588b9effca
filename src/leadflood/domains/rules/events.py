"""Audit actions, timeline entries and jobs of rules."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.queue.ports import Priority

RULE: Final = "rule"
RULE_RAN_KIND: Final = "lead.rule_ran"
"""Kind of entries in the timeline of a lead."""


class RuleAuditAction(StrEnum):
    """Audit actions of rules. The names are stable: people filter and alert by them."""

    CREATED = "rule.created"
    CHANGED = "rule.changed"
    ENABLED = "rule.enabled"
    DISABLED = "rule.disabled"
    DELETED = "rule.deleted"
    RAN = "rule.ran"


class ProfilePayload(Payload):
    """The profile whose leads are compared with its rules."""

    icp_id: UUID


RUN_RULES = JobKind("rules.run.v1", NoPayload, max_attempts=3)
"""Runs the rules of all workspaces on leads whose tier has changed."""

COMPARE_TIERS = JobKind("rules.compare.v1", ProfilePayload, max_attempts=20)
"""Finds the leads whose tier is another one since a version of the profile was published, or a rule enabled."""

COMPARE_DAILY = JobKind("rules.compare_all.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Queues `COMPARE_TIERS` for all profiles with rules, and deletes old runs."""
