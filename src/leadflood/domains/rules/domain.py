"""Declaration of the rules domain."""

from typing import Any

from leadflood.domains.icps.events import ICP_DELETED, ICP_PUBLISHED
from leadflood.domains.icps.extensions import ICP_VERSION
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.rules import jobs, listeners
from leadflood.domains.rules.events import COMPARE_DAILY, RULE_RAN_KIND, RUN_RULES, RuleAuditAction
from leadflood.domains.rules.extension import EXTENSION
from leadflood.domains.rules.labels import run_text
from leadflood.domains.rules.participant import PARTICIPANT
from leadflood.domains.rules.permissions import RULES_READ, RULES_WRITE
from leadflood.domains.rules.queries import NAMES
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import AuditGroup, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database)


_AUDIT = AuditGroup(
    "rule.",
    "Rules",
    "list-checks",
    {
        RuleAuditAction.CREATED: "created a rule",
        RuleAuditAction.CHANGED: "changed a rule",
        RuleAuditAction.ENABLED: "enabled a rule",
        RuleAuditAction.DISABLED: "disabled a rule",
        RuleAuditAction.DELETED: "deleted a rule",
        RuleAuditAction.RAN: "ran a rule on {leads}",
    },
)

DOMAIN = Domain(
    name="rules",
    audit=(_AUDIT,),
    jobs=_jobs,
    schedules=(Schedule(RUN_RULES, 10.0), Schedule(COMPARE_DAILY, 86_400.0)),
    subscriptions=(
        Subscription("rules.icp_published", ICP_PUBLISHED, listeners.published),
        Subscription("rules.icp_deleted", ICP_DELETED, listeners.deleted),
    ),
    participants=(PARTICIPANT,),
    actor_names=(NAMES,),
    permissions=(RULES_READ, RULES_WRITE),
    extensions={ICP_VERSION: EXTENSION},
    routes=("leadflood.domains.rules.edge.routes",),
    pages=("leadflood.domains.rules.edge.pages",),
    templates="leadflood.domains.rules.edge",
    navigation=(
        NavItem(
            "Rules",
            "/rules",
            "list-checks",
            "data",
            order=68,
            permission=RULES_READ,
            words="automation workflow tier owner tag list stage",
        ),
    ),
    timeline=(TimelineKind(RULE_RAN_KIND, "Rule ran", "list-checks", text=run_text),),
    metrics=(
        Metric(
            name="rules.ran",
            label="Rules run on leads",
            help="Runs of rules on leads that entered or left a tier.",
            permission=RULES_READ,
            entry=RULE_RAN_KIND,
        ),
    ),
)
