"""Every verb asks its actor and records what it did, so that no edge can forget either (house style, rule 11)."""

import ast
import importlib
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from uuid import UUID

import pytest

from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.errors import Forbidden
from tests.architecture.source import Finding, Source, require_none, snippet, sources
from tests.architecture.verbs import Services, Verb, requires_permission

EDGES = ("src/leadflood/api", "src/leadflood/web", "src/leadflood/cli")

READS: dict[str, str] = {
    "enrichment.service.load_leads": "reads leads for sources",
    "duplicates.service.scanning.field_kinds": "reads the types of fields",
    "duplicates.service.list_comparison.known_weights": "reads the weights of the last scan",
    "exports.service.batches.batches": "reads the leads of an export that was recorded when it was asked for",
    "exports.service.batches.scan_for_export": "counts the leads of an export",
    "exports.service.batches.open_encoder": "reads the labels of fields",
    "email_changes.service.preview": "what the holder of the link is shown",
    "fields.service.people_for": "reads the members",
    "identity.service.access.authenticate": "finds the actor",
    "identity.service.access.authenticate_all": "finds actors",
    "identity.service.access.authenticate_browser": "finds the actor",
    "identity.service.access.me": "the caller's own view",
    "identity.service.access.still_valid": "finds the actor",
    "identity.service.first_run.check": "what the holder of the first-run link is shown",
    "identity.service.first_run.open_code": "computes the first-run link",
    "identity.service.administration.list_users": "a list for the command line",
    "identity.service.administration.list_workspaces": "a list for the command line",
    "identity.service.public_password.users_with_public_password": "finds users whom a start must refuse",
    "identity.service.public_password.refuse_to_serve": "ends a start that would serve them",
    "identity.service.sessions.list_all_sessions": "the caller's own sessions",
    "imports.service.rejected.rejected_file": "reads rejected rows",
    "imports.service.similar_rows.load_rows": "reads the staged rows",
    "imports.service.staging.known_values": "reads the members and the custom fields",
    "imports.service.uploads.spooled": "reads the file",
    "invitations.service.preview": "what the holder of an invitation is shown",
    "enrichment.service.company_runs.is_awaited": "reads whether leads wait for a run",
    "enrichment.service.company_runs.stored_candidates": "reads the facts of a company",
    "enrichment.service.source_settings.find_source": "reads a source and its provider",
    "enrichment.service.source_tests.begin": "reads a lead or company",
    "enrichment.service.source_tests.is_requested": "reads whether a test is still wanted",
    "enrichment.service.lead_runs.begin": "reads a lead and the facts about it",
    "enrichment.service.lead_runs.scheduled": "reads the run that a job is for",
    "enrichment.service.company_runs.unread_leads": "reads whether the facts of companies are fresh",
    "enrichment.service.batch_walk.first_leads": "reads leads for an estimate",
    "enrichment.service.batch_walk.known_leads": "reads which leads are skipped",
    "enrichment.service.batch_walk.survey_leads": "reads leads for an estimate",
    "enrichment.service.batch_walk.survey_domains": "reads companies for an estimate",
    "enrichment.service.batches.estimate": "reads what would be enriched",
    "enrichment.service.reconciling.quiet_reading": "reads the books of a source",
    "enrichment.service.retractions.estimate": "counts what would be retracted",
    "enrichment.service.workspace_sources.asked_sources": "reads which sources are enabled",
    "enrichment.service.workspace_sources.shown_sources": "reads which sources there are",
    "enrichment.service.policies.estimate": "counts which leads a policy would change",
    "leads.service.active_leads": "reads leads",
    "leads.service.changesets.changes_in": "reads the changes of a changeset",
    "leads.service.found_values.next_any": "reads the IDs of leads",
    "leads.service.custom.type_changes": "reads the custom fields",
    "leads.service.custom.type_new": "reads the custom fields",
    "leads.service.stage.resolve_new": "reads the stages",
    "leads.service.stage.resolved": "reads the stages",
    "stages.service.resolve": "reads the stages",
    "leads.service.member_removal.removal_impact": "counts what a member would leave behind",
    "leads.service.merging.address_holder": "reads which lead has an address",
}
"""Functions of services that write nothing, and what they are for."""

_OWN_JOB = "part of a job, which was recorded when it was asked for"
_OWN_VERB = "part of verbs that ask the actor and record what they did"
_OWN_SYSTEM = "the system's own work by the clock"

STEPS: dict[str, str] = {
    "imports.service.relating.relate_more": "part of the commit, which is recorded",
    "imports.service.relating.request_removal": "part of the undo, which is recorded",
    "imports.service.relating.unrelate_more": "continues the undo, which is recorded",
    "companies.service.ensure": "part of the enrichment; the link of a lead follows from what it says",
    "companies.service.create_companies": "part of jobs, before `relink`",
    "companies.service.create_more": _OWN_SYSTEM,
    "companies.service.relink": "part of verbs on leads and of jobs; as above",
    "companies.service.relink_more": _OWN_SYSTEM,
    "companies.service.publish_linked": _OWN_VERB,
    "companies.service.await_links": "locks only",
    "companies.service.stop_links": "locks only",
    "enrichment.service.effective.refresh_leads": "follows from a change that was recorded; no change of the leads",
    "enrichment.service.effective.refresh_companies": "as above",
    "enrichment.service.effective.refresh_members": "part of a job; as above",
    "enrichment.service.effective.refresh_more": _OWN_SYSTEM,
    "leads.service.found_values.set_found_values": "part of enrichment, which records it; no change of the leads",
    "leads.service.found_values.lock_any": "locks only",
    "icps.service.lock_icp": _OWN_VERB,
    "icps.service.record": "it is the record",
    "icps.service.backtests.finish": _OWN_JOB,
    "icps.service.drift.remember": _OWN_JOB,
    "icps.service.drift.check": _OWN_JOB,
    "icps.service.drift.begin_monthly_test": _OWN_JOB,
    "icps.service.publishing.score_chunk": _OWN_JOB,
    "icps.service.publishing.finish": _OWN_JOB,
    "icps.service.publishing.give_up": _OWN_JOB,
    "icps.service.rescoring.rescore": "follows from a change that was recorded; no change of the leads",
    "icps.service.rescoring.rescore_companies": "as above",
    "icps.service.rescoring.rescore_pending": _OWN_SYSTEM,
    "icps.service.rescoring.score_locked": "part of the above",
    "rules.service.running.compare_tiers": _OWN_JOB,
    "rules.service.running.run_marked": "does what rules say, each of which was recorded; its changes are recorded",
    "companies.service.record_audit": _OWN_VERB,
    "companies.service.record_change": _OWN_VERB,
    "companies.service.record_created": "part of verbs and jobs",
    "companies.service.lock_active": _OWN_VERB,
    "companies.service.lock_any": "locks only",
    "companies.service.set_status": "part of the enrichment",
    "duplicates.service.merge_runs.merge_more": "continues a requested run as its requester; merges are recorded",
    "duplicates.service.merge_runs.undo_more": "the same for the undo",
    "duplicates.service.scanning.start_scan": "part of a verb, and of the system's own work by the clock",
    "duplicates.service.scanning.delete_stale_keys": _OWN_JOB,
    "duplicates.service.scanning.prepare": _OWN_JOB,
    "duplicates.service.scanning.scan_more": _OWN_JOB,
    "companies.service.lock_if_active": "part of the enrichment",
    "enrichment.service.batch_walk.advance": _OWN_JOB,
    "enrichment.service.batches.fail": _OWN_JOB,
    "enrichment.service.company_runs.only_for_batch": "locks only",
    "enrichment.service.company_runs.remove_unstarted": _OWN_VERB,
    "enrichment.service.company_runs.request_in_bulk": "continues a batch, which was recorded when it was started",
    "jobs.service.withdraw": _OWN_VERB,
    "enrichment.service.company_runs.begin": _OWN_JOB,
    "enrichment.service.company_runs.choose_again": "part of runs, merges and splits",
    "enrichment.service.company_runs.fail": _OWN_JOB,
    "enrichment.service.company_runs.finish": _OWN_JOB,
    "enrichment.service.lead_runs.finish": _OWN_JOB,
    "enrichment.service.source_tests.fail": _OWN_JOB,
    "enrichment.service.source_tests.finish": _OWN_JOB,
    "enrichment.service.lead_runs.record": _OWN_JOB,
    "enrichment.service.avoided.record": _OWN_JOB,
    "enrichment.service.company_runs.move_facts": "part of a merge of companies, which is recorded",
    "enrichment.service.company_runs.request": "part of the enrichment of leads",
    "enrichment.service.company_runs.return_facts": "part of the undo of a merge, which is recorded",
    "enrichment.service.company_runs.end_abandoned": _OWN_SYSTEM,
    "enrichment.service.choosing.choose_for_companies": "part of verbs and of their undo, which are recorded",
    "enrichment.service.choosing.choose_for_leads": "as above",
    "enrichment.service.company_runs.choose_with_status": "part of runs, and of verbs that are recorded",
    "enrichment.service.retractions.end": _OWN_JOB,
    "enrichment.service.retractions.retract_more": "continues a retraction, which was recorded when it was asked for",
    "enrichment.service.acceptance.accept_all": "part of a bulk change, which is recorded",
    "enrichment.service.acceptance.prepare_all": "as above",
    "enrichment.service.acceptance.undo_none": "as above",
    "leads.service.filling.fill_many": "as above",
    "enrichment.service.complete": _OWN_JOB,
    "enrichment.service.fail": _OWN_JOB,
    "enrichment.service.start": _OWN_JOB,
    "spending.service.open_batch_budget": "part of the start of a batch, which is recorded",
    "spending.service.set_batch_state": "part of the verbs on batches, which are recorded",
    "spending.service.avoided.record": "part of a job that asks sources; the row is the record",
    "spending.service.purchases.reserve": "part of a call to a provider; the transfers are the record",
    "spending.service.purchases.repeat": "as above",
    "spending.service.purchases.settle": "as above",
    "spending.service.purchases.pause": "as above; the price says why",
    "enrichment.service.reconciling.settle_old": _OWN_SYSTEM,
    "enrichment.service.reconciling.compare": _OWN_SYSTEM,
    "enrichment.service.reconciling.note_unclear": _OWN_SYSTEM,
    "enrichment.service.reconciling.note_failure": _OWN_SYSTEM,
    "spending.service.purchases.release": "as above",
    "spending.service.purchases.hold": "as above",
    "spending.service.purchases.write_off": "as above",
    "metrics.service.aggregate": _OWN_SYSTEM,
    "metrics.service.aggregate_lead_totals": _OWN_SYSTEM,
    "fields.service.define_missing": _OWN_VERB,
    "identity.service.audit.purge": _OWN_SYSTEM,
    "identity.service.audit.record": "it is the record",
    "identity.service.audit.record_for_user": "it is the record",
    "identity.service.api_keys.revoke_keys_of": _OWN_VERB,
    "identity.service.operators.ensure_operator": _OWN_VERB,
    "identity.service.members.create_user": _OWN_VERB,
    "identity.service.members.finish_removal": _OWN_JOB,
    "identity.service.members.lock_account": _OWN_VERB,
    "identity.service.members.join": _OWN_VERB,
    "identity.service.members.lock": _OWN_VERB,
    "identity.service.passwords.confirmed": _OWN_VERB,
    "identity.service.passwords.end_and_record": _OWN_VERB,
    "identity.service.passwords.unlock": _OWN_VERB,
    "identity.service.profile.set_email": _OWN_VERB,
    "identity.service.sessions.replace_browser": _OWN_VERB,
    "identity.service.sessions.start": _OWN_VERB,
    "identity.service.sessions.start_browser": _OWN_VERB,
    "identity.service.signin.verify_credentials": _OWN_VERB,
    "identity.service.signin.purge": _OWN_SYSTEM,
    "imports.service.mapping.changeable": _OWN_VERB,
    "imports.service.mapping.save_analysis": _OWN_VERB,
    "imports.service.mapping.wanted_format": _OWN_VERB,
    "imports.service.recording.record": "it is the record",
    "imports.service.similar_rows.save_notices": _OWN_JOB,
    "imports.service.staging.stage_batch": _OWN_JOB,
    "imports.service.commit.enrich_more": _OWN_JOB,
    "imports.service.commit.finish_writing": _OWN_JOB,
    "jobs.service.requeue": _OWN_VERB,
    "jobs.service.wake": _OWN_JOB,
    "jobs.service.enqueue": _OWN_VERB,
    "jobs.service.next_of_cause": _OWN_JOB,
    "jobs.service.record_end_of_cause": _OWN_JOB,
    "leads.service.add_each_to_timelines": _OWN_VERB,
    "leads.service.add_to_timelines": _OWN_VERB,
    "leads.service.bulk_operations.apply": _OWN_VERB,
    "leads.service.bulk_operations.prepare": _OWN_VERB,
    "leads.service.bulk_operations.undo_chunk": _OWN_VERB,
    "leads.service.bulk.change_more": _OWN_JOB,
    "leads.service.bulk.record_end": _OWN_JOB,
    "leads.service.changesets.attach_job": _OWN_VERB,
    "leads.service.changesets.close_changeset": _OWN_VERB,
    "leads.service.changesets.add_counts": _OWN_VERB,
    "leads.service.changesets.give_up_undo": _OWN_JOB,
    "leads.service.changesets.open_changeset": _OWN_VERB,
    "leads.service.changesets.record": "it is the record",
    "leads.service.changesets.record_created": _OWN_VERB,
    "leads.service.changesets.record_changes": _OWN_VERB,
    "leads.service.changesets.changes_of": _OWN_JOB,
    "leads.service.changesets.begin_undo": _OWN_VERB,
    "leads.service.changesets.undo_in_parallel": _OWN_JOB,
    "leads.service.changesets.undo_more": _OWN_JOB,
    "leads.service.custom.convert_values": _OWN_JOB,
    "leads.service.queue_enrichment": _OWN_VERB,
    "leads.service.lock_leads": _OWN_JOB,
    "leads.service.lock_lead_ids": _OWN_JOB,
    "leads.service.bulk_write.add_row_counts": _OWN_JOB,
    "leads.service.bulk_write.request_enrichments": _OWN_JOB,
    "leads.service.bulk_write.write_rows": _OWN_JOB,
    "leads.service.merging.complete_undos": _OWN_VERB,
    "leads.service.merging.deferred_undos": _OWN_VERB,
    "leads.service.merging.lock_all": _OWN_VERB,
    "leads.service.merging.lock_pair": _OWN_VERB,
    "leads.service.merging.merge_leads": _OWN_VERB,
    "leads.service.merging.unmerge_leads": _OWN_VERB,
    "leads.service.transition": _OWN_JOB,
    "leads.service.direct_transition": _OWN_JOB,
}
"""Steps that verbs and jobs are made of, and why they neither ask nor record. No edge may call one."""

WITHOUT_PERMISSION: dict[str, str] = {
    "email_changes.service.confirm": "the link is the right to do it; the password was given with the request",
    "identity.service.access.touch": "notes that a credential that was just accepted is in use",
    "identity.service.first_run.set_up": "the first-run link is the right to do it",
    "identity.service.administration.ensure_demo": "called at the start of a process, which has the database anyway",
    "identity.service.administration.first_run": "as ensure_demo",
    "identity.service.signin.login": "the password is the right to do it",
    "identity.service.signin.login_browser": "the password is the right to do it",
    "identity.service.signin.refresh": "the refresh token is the right to do it",
    "invitations.service.accept_as_new": "the invitation's link is the right to do it",
    "invitations.service.accept_as_self": "the invitation's link is the right to do it",
    "invitations.service.accept_with_account": "the invitation's link and the password are the right to do it",
}
"""Verbs that need no permission, and what takes its place."""

WITHOUT_AUDIT: dict[str, str] = {
    "identity.service.access.touch": "the time of last use of a session or key, once a minute",
    "leads.service.create_lead": "a thousand a second; the lead's timeline has who created it",
    "leads.service.samples.load_samples": "as create_lead",
    "leads.service.create_leads": "a thousand a second; the timelines of the leads have who created them",
}
"""Verbs that write no audit event, and where else one finds who did it. Decision 18 has the reasons."""


def _faults(verb: Verb, services: Services) -> Iterator[Finding]:
    if verb.name not in WITHOUT_PERMISSION and not requires_permission(verb):
        yield verb.finding("begin with actor.require(PERMISSION): it may be called from anywhere")
    if verb.name not in WITHOUT_AUDIT and not services.records(verb):
        yield verb.finding("record what it did with audit.record(…), its count and what undoes it")


def unguarded(services: Services) -> Iterator[Finding]:
    """The verbs that do not ask their actor, or do not record what they did."""
    for verb in services.verbs():
        if verb.name not in READS and verb.name not in STEPS:
            yield from _faults(verb, services)


def calls_of_steps(source: Source) -> Iterator[Finding]:
    """Calls from an edge that bypass the verbs."""
    steps = {f"leadflood.domains.{name}" for name in STEPS}
    for node, scope in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and source.dotted(node) in steps:
            yield source.finding(node, scope, "call a verb, which asks the actor and records what it did")


@pytest.fixture(scope="module")
def services() -> Services:
    """The services of all domains, parsed once."""
    return Services(list(sources("src/leadflood/domains")))


def test_every_verb_asks_its_actor_and_records_what_it_did(services: Services) -> None:
    require_none(unguarded(services))


def test_no_edge_calls_a_step_of_a_verb_or_of_a_job() -> None:
    require_none(finding for source in sources(*EDGES) for finding in calls_of_steps(source))


@pytest.mark.parametrize("listed", [READS, STEPS, WITHOUT_PERMISSION, WITHOUT_AUDIT])
def test_the_lists_name_only_what_is_there(services: Services, listed: Mapping[str, str]) -> None:
    known = {verb.name for verb in services.verbs()}

    assert set(listed) <= known


@pytest.mark.parametrize("listed", [WITHOUT_PERMISSION, WITHOUT_AUDIT])
def test_an_exemption_that_is_no_longer_needed_comes_off_the_list(
    services: Services, listed: Mapping[str, str]
) -> None:
    proven = {
        verb.name
        for verb in services.verbs()
        if (requires_permission(verb) if listed is WITHOUT_PERMISSION else services.records(verb))
    }

    assert not proven & set(listed)


_GOOD = """
from leadflood.domains.identity.service import audit
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

async def archive_lead(tx: Transaction, actor: Actor) -> None:
    actor.require(LEADS_WRITE)
    await store.archive(tx)
    await _record(tx, actor)

async def _record(tx: Transaction, actor: Actor) -> None:
    await audit.record(tx, actor, action="lead.archived", subject_type="lead")
"""


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("    actor.require(LEADS_WRITE)\n", ""),
        (
            "    actor.require(LEADS_WRITE)\n",
            "    if False:\n        actor.require(LEADS_WRITE)\n",
        ),
        (
            "    actor.require(LEADS_WRITE)\n",
            "    await look(tx)\n    actor.require(LEADS_WRITE)\n",
        ),
        ("    await _record(tx, actor)\n", ""),
    ],
    ids=["no permission", "a permission for some", "a permission too late", "no record"],
)
def test_the_check_refuses_a_new_verb_that_lacks_one(line: str, instead: str) -> None:
    assert list(unguarded(Services([snippet(_GOOD)]))) == []
    assert len(list(unguarded(Services([snippet(_GOOD.replace(line, instead))])))) == 1


def _without_permissions(verb: Verb) -> dict[str, object]:
    """Arguments for a verb that is not allowed to look at any but its actor."""
    nobody = Actor.requester(UUID(int=0), ActorKind.USER, UUID(int=1))
    arguments = verb.node.args
    names = [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return {name: nobody if name == "actor" else [SimpleNamespace(actor=nobody)] for name in names}


async def test_a_verb_is_refused_before_it_touches_the_database(services: Services) -> None:
    guarded = [verb for verb in services.verbs() if requires_permission(verb)]
    allowed = []
    for verb in guarded:
        module, _, name = f"leadflood.domains.{verb.name}".rpartition(".")
        try:
            await getattr(importlib.import_module(module), name)(**_without_permissions(verb))
        except Forbidden:
            continue
        allowed.append(verb.name)

    assert guarded
    assert not allowed
