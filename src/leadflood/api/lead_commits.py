"""Group commit of `POST /v1/leads`: concurrent requests of a workspace share one transaction.

docs/decisions/0013-group-commit.md says what is promised, and how.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from starlette.responses import Response
from starlette.types import Scope

from leadflood.api.deps import Unit, is_kept, kept_answer, replayed
from leadflood.api.errors import problem
from leadflood.domains.leads import service
from leadflood.domains.leads.contracts import CreateLead, LeadCreated
from leadflood.domains.leads.service import LeadRequest
from leadflood.kernel.db.database import Contended, Database, Transaction
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.grouping import Grouping
from leadflood.kernel.idempotency import IdempotencyKey, KeptAnswer, claim_keys, keep_answers
from leadflood.kernel.observability import Metrics

MOST_TOGETHER = 500
MOST_WAITING = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request for a lead: what it says, and under which key."""

    scope: Scope
    request: LeadRequest
    key: IdempotencyKey | None


class LeadCommits:
    """Collects the requests of each workspace while its transaction before is under way."""

    def __init__(self, database: Database, metrics: Metrics, *, most_waiting: int = MOST_WAITING) -> None:
        """`most_waiting`: requests of this process that may wait at a time; more are refused with 503."""
        self._database = database
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._waiting = 0
        self._groups: dict[UUID, Grouping[Wanted, Response]] = {}

    async def create(self, unit: Unit, command: CreateLead) -> Response:
        """The answer to one request, once it is on disk. Raises: Unavailable."""
        if self._waiting >= self._most_waiting:
            raise Unavailable("Too many leads wait to be written. Try again shortly.")
        wanted = Wanted(unit.scope, LeadRequest(unit.actor, command, unit.trace), unit.key)
        workspace_id = unit.actor.workspace_id
        group = self._groups.get(workspace_id)
        if group is None:
            serve = partial(self._commit, workspace_id)
            group = Grouping(serve, most=MOST_TOGETHER)
            self._groups[workspace_id] = group
        self._waiting += 1
        try:
            return await group(wanted)
        finally:
            self._waiting -= 1
            if group.idle and self._groups.get(workspace_id) is group:
                del self._groups[workspace_id]

    async def _commit(self, workspace_id: UUID, wanted: Sequence[Wanted]) -> Sequence[Response | Exception]:
        try:
            return await self._together(workspace_id, wanted)
        except (Contended, DBAPIError):
            if len(wanted) == 1:
                raise
        # Nothing of the group was written, for a reason that only some of them may have: each for itself then. Two with
        # the same key come here, too, for an answer is kept once: the later one finds it.
        outcomes: list[Response | Exception] = []
        for each in wanted:
            try:
                outcomes += await self._together(workspace_id, [each])
            except (Unavailable, DBAPIError) as error:
                outcomes.append(error)
        return outcomes

    async def _together(self, workspace_id: UUID, wanted: Sequence[Wanted]) -> list[Response | Exception]:
        with self._metrics.transactions_open.track_inprogress():
            async with self._database.transaction(workspace_id) as tx:
                known = await _known(tx, wanted)
                fresh = [each for each, answer in zip(wanted, known, strict=True) if answer is None]
                created = iter(await _create(tx, workspace_id, fresh) if fresh else ())
        return [next(created) if answer is None else answer for answer in known]


def lead_commits_of(scope: Scope) -> LeadCommits:
    """Those of the application that handles this request."""
    return cast("LeadCommits", scope["app"].state.lead_commits)


async def _known(tx: Transaction, wanted: Sequence[Wanted]) -> list[Response | Exception | None]:
    """The answers of those whose key was used before, or why it is refused; None for new requests."""
    keys = [each.key for each in wanted if each.key is not None]
    claimed = iter(await claim_keys(tx, keys) if keys else ())
    found = [next(claimed) if each.key is not None else None for each in wanted]
    return [replayed(each) if isinstance(each, KeptAnswer) else each for each in found]


async def _create(tx: Transaction, workspace_id: UUID, wanted: Sequence[Wanted]) -> list[Response | Exception]:
    requests = [each.request for each in wanted]
    outcomes = await service.create_leads(tx, workspace_id=workspace_id, wanted=requests)
    answers = [_answer(each.scope, outcome) for each, outcome in zip(wanted, outcomes, strict=True)]
    kept = [
        (each.key, kept_answer(answer))
        for each, outcome, answer in zip(wanted, outcomes, answers, strict=True)
        if each.key is not None and isinstance(answer, Response) and is_kept(outcome)
    ]
    if kept:
        await keep_answers(tx, kept)
    return answers


def _answer(scope: Scope, outcome: LeadCreated | AppError) -> Response | Exception:
    if isinstance(outcome, Unavailable):
        return outcome
    if isinstance(outcome, AppError):
        return problem(scope, outcome)
    location = {"Location": f"/v1/leads/{outcome.lead_id}"}
    return Response(outcome.model_dump_json(), 201, location, "application/json")
