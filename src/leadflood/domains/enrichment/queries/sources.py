"""SQL that reads how sources do: their answers of a workspace, and the gates of the installation."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from leadflood.domains.enrichment.contracts.source_settings import ProviderView
from leadflood.domains.enrichment.contracts.sources import FieldShare, SourceHour, SourceView
from leadflood.domains.enrichment.errors import SourceNotFound
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.models.source_health import (
    ANSWERED,
    FAILED,
    PERIOD,
    SourceGate,
    SourceState,
    standing_of,
)
from leadflood.domains.enrichment.models.sources import Source
from leadflood.domains.enrichment.queries.source_settings import (
    StoredKey,
    credential_gate,
    provider_keys,
    source_settings,
)
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import first_id_at

_MAX: Final = 100_000
"""Questions of the period that are looked at, the latest ones."""
_HOUR: Final = timedelta(hours=1)
_NO_PROVIDERS: Final[Mapping[str, Provider]] = {}

# Rates and breakers of all sources.
GATES = sql("SELECT source, next_at, failures, openings, open_until, reason, keyed FROM source_gates")

# Questions of the period by source: per outcome and hour, with durations.
ASKED = sql_file("leadflood.domains.enrichment.sql", "source_answers")

# Answers with values, by source and field, of those that found something or nothing.
SHARES = sql("""
WITH answered AS (
    SELECT id, source FROM lookups
    WHERE workspace_id = :workspace_id AND id >= :from_id AND state IN ('found', 'missed') ORDER BY id DESC LIMIT :most
), totals AS (SELECT source, count(*) AS answers FROM answered GROUP BY source)
SELECT a.source, v.field, count(DISTINCT a.id) AS found, max(t.answers) AS answers
FROM answered a
JOIN totals t ON t.source = a.source
JOIN found_values v ON v.workspace_id = :workspace_id AND v.lookup_id = a.id
GROUP BY a.source, v.field
ORDER BY a.source, found DESC, v.field
""")


# The cost of the answers of the period, by source, and how many of them had a value.
COSTS = sql("""
SELECT source, sum(cost_micros)::bigint AS cost, count(*) FILTER (WHERE state = 'found')::integer AS found FROM (
    SELECT source, state, cost_micros FROM lookups
    WHERE workspace_id = :workspace_id AND id >= :from_id ORDER BY id DESC LIMIT :most
) AS answers
GROUP BY source HAVING sum(cost_micros) > 0
""")


@dataclass(slots=True)
class _Answers:
    """Questions to one source."""

    outcomes: dict[StepState, int] = field(default_factory=lambda: defaultdict(int))
    hours: dict[datetime, SourceHour] = field(default_factory=dict)
    p50: float | None = None
    p95: float | None = None


async def list_sources(
    database: Database,
    actor: Actor,
    *,
    sources: Sequence[Source],
    providers: Mapping[str, Provider] = _NO_PROVIDERS,
) -> list[SourceView]:
    """The sources, in their order, with their health.

    `providers`: of those of the sources that need a key, by source.

    Raises: leadflood.kernel.actor.MissingPermission.
    """
    actor.require(LEADS_READ)
    now = utc_now()
    async with database.system(read_only=True) as tx:
        gates = await _gates(tx)
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        answers = await _answers(tx, actor, now)
        shares = await _shares(tx, actor, now)
        costs = await _costs(tx, actor, now)
        keys = await provider_keys(tx, actor.workspace_id)
        enabled = {each.source for each in await source_settings(tx, actor.workspace_id, enabled_only=True)}
    nothing, found = _Answers(), []
    for source in sources:
        name, provider = source.spec.name, providers.get(source.spec.name)
        key = None if provider is None else keys.get(provider.name)
        gate = gates.get(name if provider is None else credential_gate(actor.workspace_id, name, key), SourceGate())
        view = _view(source, gate, answers.get(name, nothing), shares.get(name, []), now)
        view = view.model_copy(update=costs.get(name, {}))
        found.append(view if provider is None else _of_provider(view, provider, key, enabled=name in enabled))
    return found


async def get_source(
    database: Database,
    actor: Actor,
    *,
    name: str,
    sources: Sequence[Source],
    providers: Mapping[str, Provider] = _NO_PROVIDERS,
) -> SourceView:
    """One source. Raises: SourceNotFound, leadflood.kernel.actor.MissingPermission."""
    asked = [source for source in sources if source.spec.name == name]
    found = await list_sources(database, actor, sources=asked, providers=providers)
    if not found:
        raise SourceNotFound
    return found[0]


def _of_provider(view: SourceView, provider: Provider, key: StoredKey | None, *, enabled: bool) -> SourceView:
    shown = ProviderView(
        name=provider.name,
        label=provider.label,
        origin=provider.origin,
        unit=provider.unit,
        help=provider.help,
        needs_key=provider.needs_key,
        key_last4=None if key is None else key.last4,
        key_set_at=None if key is None else key.set_at,
        enabled=enabled,
    )
    keyless = key is None and provider.needs_key
    if enabled and not keyless:
        return view.model_copy(update={"provider": shown})
    reason = "It needs a key." if keyless else "It is not enabled."
    return view.model_copy(update={"provider": shown, "state": SourceState.OFF, "reason": reason, "until": None})


async def _gates(tx: Transaction) -> dict[str, SourceGate]:
    """The gates of all sources. Needs a system transaction."""
    return {
        row.source: SourceGate(Breaker(row.failures, row.openings, row.open_until, row.reason, row.keyed), row.next_at)
        for row in await tx.all(GATES)
    }


async def _answers(tx: Transaction, actor: Actor, now: datetime) -> dict[str, _Answers]:
    values = {"from_id": first_id_at(now, -PERIOD), "since": now - PERIOD, "most": _MAX}
    found: dict[str, _Answers] = defaultdict(_Answers)
    for row in await tx.all(ASKED, {"workspace_id": actor.workspace_id, **values}):
        answers = found[row.source]
        if row.hour is None:
            answers.p50, answers.p95 = row.p50, row.p95
        elif row.state is None:
            answers.hours[row.hour] = answers.hours.get(row.hour, _hour(row.hour)).model_copy(
                update={"seconds_p50": row.p50, "seconds_p95": row.p95}
            )
        else:
            _count(answers, StepState(row.state), row.hour, row.questions)
    return found


def _count(answers: _Answers, state: StepState, hour: datetime, questions: int) -> None:
    answers.outcomes[state] += questions
    known = answers.hours.get(hour, _hour(hour))
    kind = "found" if state is StepState.FOUND else "failed" if state in FAILED else "other"
    answers.hours[hour] = known.model_copy(update={kind: getattr(known, kind) + questions})


def _hour(starts_at: datetime) -> SourceHour:
    return SourceHour(starts_at=starts_at, found=0, other=0, failed=0, seconds_p50=None, seconds_p95=None)


async def _shares(tx: Transaction, actor: Actor, now: datetime) -> dict[str, list[FieldShare]]:
    values = {"workspace_id": actor.workspace_id, "from_id": first_id_at(now, -PERIOD), "most": _MAX}
    found: dict[str, list[FieldShare]] = defaultdict(list)
    for row in await tx.all(SHARES, values):
        found[row.source].append(
            FieldShare(field=row.field, found=row.found, answers=row.answers, share=round(row.found / row.answers, 4))
        )
    return found


async def _costs(tx: Transaction, actor: Actor, now: datetime) -> dict[str, dict[str, int | None]]:
    """Cost of the answers of each source, in all and for each one with a value."""
    values = {"workspace_id": actor.workspace_id, "from_id": first_id_at(now, -PERIOD), "most": _MAX}
    return {
        row.source: {
            "cost_micros": row.cost,
            "cost_per_hit_micros": round(row.cost / row.found) if row.found else None,
        }
        for row in await tx.all(COSTS, values)
    }


def _view(
    source: Source, gate: SourceGate, answers: _Answers, shares: Sequence[FieldShare], now: datetime
) -> SourceView:
    spec = source.spec
    standing = standing_of(gate, answers.outcomes, spec.rate, now)
    outcomes: Mapping[StepState, int] = answers.outcomes
    first = (now - PERIOD).replace(minute=0, second=0, microsecond=0) + _HOUR
    hours = [answers.hours.get(first + _HOUR * place, _hour(first + _HOUR * place)) for place in range(24)]
    return SourceView(
        name=spec.name,
        label=spec.label,
        version=spec.version,
        subject=spec.subject,
        speed=spec.speed,
        state=standing.state,
        reason=standing.reason,
        until=standing.until,
        rate_calls=spec.rate.calls if spec.rate else None,
        rate_seconds=spec.rate.seconds if spec.rate else None,
        questions=sum(outcomes.values()),
        answered=sum(outcomes.get(state, 0) for state in ANSWERED),
        outcomes={state.value: number for state, number in outcomes.items()},
        seconds_p50=answers.p50,
        seconds_p95=answers.p95,
        fields=list(shares),
        hours=hours,
        cost_micros=0,
        cost_per_hit_micros=None,
        provider=None,
    )
