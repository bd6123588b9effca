"""SQL that reads scores: stored ones, those that a version would give, and the facts that one is made of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from leadflood.domains.icps import queries
from leadflood.domains.icps.columns.compile import THESE, facts, scores
from leadflood.domains.icps.contracts.icps import LeadScoreRef, Movement, Preview, ScoreBucket, ScoreRow, TierCount
from leadflood.domains.icps.contracts.scores import ImprovementList, LeadScore, improvement_views, lead_score
from leadflood.domains.icps.errors import IcpNotFound, NotScored, UnknownTier
from leadflood.domains.icps.models.catalog import ProfileCatalog, ProfileField
from leadflood.domains.icps.models.evaluate import Evaluation, Facts, current, evaluate
from leadflood.domains.icps.models.improving import improvements
from leadflood.domains.icps.models.profiles import FactValue, FitProfile
from leadflood.domains.leads import queries as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.text import search_key

SAMPLE: Final = 10_000
"""Leads of a preview, about; up to twice as many are all scored."""

# Count the leads.
_COUNT = sql("SELECT count(*) FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL")

# Count leads by tier, by the live versions of profiles.
_TIERS = sql("""
SELECT i.id AS icp_id, s.tier, count(*) AS leads
FROM icps i
JOIN icp_scores s ON s.workspace_id = i.workspace_id AND s.version_id = i.live_version_id
JOIN leads l ON l.workspace_id = s.workspace_id AND l.id = s.lead_id AND l.deleted_at IS NULL
WHERE i.workspace_id = :workspace_id AND i.deleted_at IS NULL
GROUP BY i.id, s.tier
""")

# The leads of a preview. The last bytes of an ID are random.
_SAMPLED = sql("""
deleted_at IS NULL
AND get_byte(uuid_send(id), 15) * 65536 + get_byte(uuid_send(id), 14) * 256 + get_byte(uuid_send(id), 13) < :share
""")

# Count what a version would say of leads, next to the tier that the live one gives. Each former score is looked up by
# its key (LIMIT), whatever PostgreSQL knows of the tables: without, 10,000 leads of 40,000 took longer than 30 s.
_PREVIEW = sql("""
SELECT s.tier, floor(s.score / 10.0)::integer * 10 AS at, s.worst IS DISTINCT FROM s.best AS unsure,
       old.lead_id IS NOT NULL AS was_scored, old.tier AS former, count(*) AS leads
FROM ({scored}) s
LEFT JOIN LATERAL (
    SELECT lead_id, tier FROM icp_scores
    WHERE workspace_id = :workspace_id AND version_id = :live_version_id AND lead_id = s.id LIMIT 1
) old ON true
GROUP BY 1, 2, 3, 4, 5
""")

# The next leads of a tier by score, the highest first.
_LISTED = sql("""
SELECT s.lead_id, s.score, s.lo, s.hi, s.tier, s.worst, s.best, s.excluded_by, s.known, s.scored_at
FROM icp_scores s
JOIN leads l ON l.workspace_id = s.workspace_id AND l.id = s.lead_id AND l.deleted_at IS NULL
WHERE s.workspace_id = :workspace_id AND s.version_id = :version_id AND s.tier = :tier
  AND (:after_id::uuid IS NULL OR (-s.score, s.lead_id) > (-:after_score::integer, :after_id))
ORDER BY s.score DESC, s.lead_id LIMIT :limit
""")

# The scores of leads by all live versions.
_OF_LEADS = sql("""
SELECT s.lead_id, s.icp_id, i.name, s.is_main, s.score, s.lo, s.hi, s.tier, s.excluded_by
FROM live_icp_scores s JOIN icps i ON i.workspace_id = s.workspace_id AND i.id = s.icp_id
WHERE s.workspace_id = :workspace_id AND s.lead_id = ANY (:lead_ids::uuid[])
ORDER BY s.is_main DESC, i.name_key, i.id
""")


async def facts_of(
    tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID], profile: FitProfile, catalog: ProfileCatalog
) -> dict[UUID, Facts]:
    """The facts of leads that a profile reads, in one statement. Leads that do not exist are left out."""
    known = [catalog[key] for key in profile.fields if key in catalog]
    return await read_facts(tx, actor, lead_ids=lead_ids, fields=known)


async def read_facts(
    tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID], fields: Sequence[ProfileField]
) -> dict[UUID, Facts]:
    """Some facts of leads, in one statement. Leads that do not exist are left out."""
    found = facts(fields, THESE)
    values = {**found.values, "workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)}
    rows = await tx.all(found.statement, values)
    return {row.id: _facts(fields, row.found, row.observed) for row in rows}


async def explain(tx: Transaction, actor: Actor, *, lead_id: UUID, profile: str | None = None) -> LeadScore:
    """Explain how the points of a lead add up, by the live version of a profile, the main one if none is named.

    Raises: leadflood.domains.leads.errors.LeadNotFound, IcpNotFound, NotScored.
    """
    fit, evaluation, values, catalog = await _evaluated(tx, actor, lead_id, profile)
    return lead_score(fit, evaluation, values, catalog)


async def improve(
    tx: Transaction, actor: Actor, *, lead_id: UUID, profile: str | None = None, tier: str | None = None
) -> ImprovementList:
    """Find what would lift a lead into a tier, the best one if none is named.

    Raises: like `explain`; UnknownTier.
    """
    fit, evaluation, _, _ = await _evaluated(tx, actor, lead_id, profile)
    return _improved(fit, evaluation, tier)


async def explain_and_improve(tx: Transaction, actor: Actor, *, lead_id: UUID) -> tuple[LeadScore, ImprovementList]:
    """`explain` and `improve` by the main profile, from one reading of the facts. Raises: like `explain`."""
    fit, evaluation, values, catalog = await _evaluated(tx, actor, lead_id, None)
    return lead_score(fit, evaluation, values, catalog), _improved(fit, evaluation, None)


async def preview(tx: Transaction, actor: Actor, *, icp_id: UUID, number: int | None = None) -> Preview:
    """Preview what a version would say of the leads: of all, or of a sample of about 10,000.

    Raises: IcpNotFound, IcpVersionNotFound.
    """
    icp = await queries.get_icp(tx, actor, icp_id=icp_id)
    row = await queries.numbered_row(tx, actor, icp_id=icp_id, number=number)
    profile, catalog = queries.stored_profile(row.id, row.body, row.shapes)
    return await preview_of(tx, actor, profile=profile, catalog=catalog, live_id=icp.live.id if icp.live else None)


async def preview_of(
    tx: Transaction, actor: Actor, *, profile: FitProfile, catalog: ProfileCatalog, live_id: UUID | None
) -> Preview:
    """The same of a profile that is not stored."""
    total = await count_leads(tx, actor)
    exact = total <= 2 * SAMPLE
    compiled = scores(profile, catalog, utc_now(), _SAMPLED)
    values = {
        **compiled.values,
        "workspace_id": actor.workspace_id,
        "live_version_id": live_id,
        "share": 2**24 if exact else 2**24 * SAMPLE // total,
    }
    rows = await tx.all(assemble(_PREVIEW, scored=compiled.statement), values)
    return _preview(profile, rows, total=total, exact=exact)


async def count_leads(tx: Transaction, actor: Actor) -> int:
    """Number of leads that publishing a version would score."""
    return int(await tx.scalar(_COUNT, {"workspace_id": actor.workspace_id}))


async def tier_counts(tx: Transaction, actor: Actor) -> dict[UUID, list[TierCount]]:
    """Leads in each tier by the live version of each profile that has one, the best tier first, excluded ones last."""
    rows = await tx.all(_TIERS, {"workspace_id": actor.workspace_id})
    counts = {(row.icp_id, row.tier): row.leads for row in rows}
    found = {}
    for row in await queries.scored_rows(tx, actor.workspace_id):
        if row.state == "live":
            profile, _ = queries.stored_profile(row.id, row.body, row.shapes)
            names = [*(tier.name for tier in profile.tiers), None]
            found[row.icp_id] = [TierCount(tier=name, leads=counts.get((row.icp_id, name), 0)) for name in names]
    return found


async def list_scores(
    tx: Transaction, actor: Actor, *, icp_id: UUID, tier: str | None = None, after: Position | None, limit: int
) -> Page[ScoreRow]:
    """The leads of a tier by the live version, the best one if none is named; the highest scores first.

    Raises: IcpNotFound, NotScored, UnknownTier.
    """
    icp = await queries.get_icp(tx, actor, icp_id=icp_id)
    row = await queries.live_row(tx, actor, icp_id=icp.id)
    if row is None:
        raise NotScored
    profile, _ = queries.stored_profile(row.id, row.body, row.shapes)
    tier = tier or profile.tiers[0].name
    if tier not in [each.name for each in profile.tiers]:
        raise UnknownTier(", ".join(each.name for each in profile.tiers))
    values = {
        "workspace_id": actor.workspace_id,
        "version_id": row.id,
        "tier": tier,
        "after_score": after.signed_number if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    page = cut(await tx.all(_LISTED, values), limit, lambda each: Position.at(each.score, each.lead_id))
    return page.map(lambda each: ScoreRow(**dict(each)))


async def scores_of_leads(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, list[LeadScoreRef]]:
    """The scores of many leads by all live versions, that of the main profile first; leads without any are left out."""
    found: dict[UUID, list[LeadScoreRef]] = {}
    for row in await tx.all(_OF_LEADS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)}):
        ref = LeadScoreRef(
            icp_id=row.icp_id,
            name=row.name,
            main=row.is_main,
            score=row.score,
            lo=row.lo,
            hi=row.hi,
            tier=row.tier,
            excluded=row.excluded_by is not None,
        )
        found.setdefault(row.lead_id, []).append(ref)
    return found


async def scores_of_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> list[LeadScoreRef]:
    """The same of one lead. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return (await scores_of_leads(tx, actor, [lead_id])).get(lead_id, [])


async def _evaluated(
    tx: Transaction, actor: Actor, lead_id: UUID, name: str | None
) -> tuple[FitProfile, Evaluation, Mapping[str, FactValue], ProfileCatalog]:
    await leads.get_lead(tx, actor, lead_id=lead_id)
    if name is None:
        icp_id = next((icp.id for icp in await queries.list_icps(tx, actor) if icp.main), None)
    elif (icp_id := await queries.icp_named(tx, actor, name_key=search_key(name))) is None:
        raise IcpNotFound
    row = await queries.live_row(tx, actor, icp_id=icp_id) if icp_id is not None else None
    if row is None:
        raise NotScored
    profile, catalog = queries.stored_profile(row.id, row.body, row.shapes)
    found = await facts_of(tx, actor, lead_ids=[lead_id], profile=profile, catalog=catalog)
    now = utc_now()
    values = current(profile, found[lead_id], catalog, now)
    labels = await queries.catalog_of(tx, actor)
    return profile, evaluate(profile, found[lead_id], catalog, now), values, catalog.labelled(labels)


def _improved(fit: FitProfile, evaluation: Evaluation, tier: str | None) -> ImprovementList:
    """Criteria that would lift a lead into a tier, the best one if none is named. Raises: UnknownTier."""
    wanted = tier or fit.tiers[0].name
    if wanted not in [each.name for each in fit.tiers]:
        raise UnknownTier(", ".join(each.name for each in fit.tiers))
    return ImprovementList(tier=wanted, items=improvement_views(improvements(fit, evaluation, wanted)))


def _facts(known: Sequence[ProfileField], values: Sequence[object], observed: Sequence[object]) -> Facts:
    read: dict[str, FactValue] = {}
    times: dict[str, datetime] = {}
    for field, value, seconds in zip(known, values, observed, strict=True):
        if isinstance(value, list):
            read[field.key] = frozenset(map(str, value))
        elif isinstance(value, str | bool | int | float):
            read[field.key] = value
        if isinstance(seconds, int | float):
            times[field.key] = datetime.fromtimestamp(seconds, UTC)
    return Facts(read, times)


def _preview(profile: FitProfile, rows: Sequence[Row], *, total: int, exact: bool) -> Preview:
    tiers: dict[str | None, int] = {each.name: 0 for each in profile.tiers} | {None: 0}
    buckets: dict[tuple[int, str | None], int] = {}
    moves: dict[tuple[str | None, str | None], int] = {}
    unsure = 0
    for row in rows:
        tiers[row.tier] += row.leads
        buckets[row.at, row.tier] = buckets.get((row.at, row.tier), 0) + row.leads
        unsure += row.leads if row.unsure else 0
        if row.was_scored and row.former != row.tier:
            moves[row.former, row.tier] = moves.get((row.former, row.tier), 0) + row.leads
    return Preview(
        leads=sum(tiers.values()),
        total=total,
        exact=exact,
        tiers=[TierCount(tier=tier, leads=count) for tier, count in tiers.items()],
        histogram=[
            ScoreBucket(at=at, tier=tier, leads=count)
            for (at, tier), count in sorted(buckets.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ],
        unsure=unsure,
        movements=[
            Movement(before=before, after=after, leads=count)
            for (before, after), count in sorted(moves.items(), key=lambda item: -item[1])
        ],
    )
