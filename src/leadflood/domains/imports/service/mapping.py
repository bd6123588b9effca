"""File format and column mapping: detected first, then changed by users."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from leadflood.domains.fields import queries as fields
from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.errors import MemberNotFound
from leadflood.domains.imports import queries, store
from leadflood.domains.imports.contracts import ImportDetail, MapColumns, ReadFormat
from leadflood.domains.imports.errors import ImportNotFound, ImportNotReady
from leadflood.domains.imports.events import ImportAuditAction
from leadflood.domains.imports.models import notices
from leadflood.domains.imports.models.column_detection import Analysis, fits, with_known_fields
from leadflood.domains.imports.models.fields import CUSTOM, OTHER_EMAIL, Target, custom_key_of
from leadflood.domains.imports.models.format import FileFormat
from leadflood.domains.imports.models.states import Duplicates, ImportStatus
from leadflood.domains.imports.service.recording import record
from leadflood.domains.imports.service.relating import require_related
from leadflood.domains.imports.store import StoredImport
from leadflood.domains.leads.errors import UnknownOwner
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput

CHANGEABLE = frozenset({ImportStatus.UPLOADED, ImportStatus.PREVIEWED, ImportStatus.CANCELLED, ImportStatus.FAILED})
"""States in which the mapping can be changed: nothing is written yet."""


async def save_analysis(tx: Transaction, actor: Actor, *, import_id: UUID, analysis: Analysis) -> None:
    """Store the analysis, with the mapping remembered for the same columns, if any and if the cells fit it.

    Columns with the name of a custom field become that field.
    """
    known = await queries.known_mapping(tx, actor.workspace_id, analysis.fingerprint)
    header = [column.header for column in analysis.columns]
    if known is not None and len(known.targets) == len(header) and fits(known.targets, header, analysis.sample):
        pairs = zip(analysis.columns, known.targets, strict=True)
        columns = [replace(column, target=target, confidence=1.0) for column, target in pairs]
        kept = [
            notice
            for notice in analysis.notices
            if notice.code != notices.OTHER_EMAILS or any(target.startswith(OTHER_EMAIL) for target in known.targets)
        ]
        chosen = replace(analysis, columns=columns, notices=[*kept, notices.REMEMBERED])
        await store.set_analysis(tx, actor.workspace_id, import_id, chosen, known.options)
        return
    there = await fields.custom_fields(tx, actor.workspace_id, subject=LEAD)
    labels = {field.label: key for key, field in there.items()}
    chosen = replace(analysis, columns=with_known_fields(analysis.columns, labels))
    await store.set_analysis(tx, actor.workspace_id, import_id, chosen, {})


async def wanted_format(
    tx: Transaction, actor: Actor, *, import_id: UUID, command: ReadFormat
) -> tuple[FileFormat, StoredImport]:
    """The resulting format, and the import. Raises: ImportNotFound, ImportNotReady, InvalidInput."""
    found, format_ = await changeable(tx, actor, import_id=import_id)
    given = {name: value for name in command.model_fields_set if (value := getattr(command, name)) is not None}
    if "sheet" in given and given["sheet"] not in found.sheets:
        message = f"Sheets in this file: {', '.join(found.sheets) or 'none'}."
        raise InvalidInput("Unknown sheet.", errors=[FieldError("/sheet", "not_allowed", message)])
    if "header_row" in given:
        given.setdefault("header", True)
    return replace(format_, **given), found


async def map_columns(tx: Transaction, actor: Actor, *, import_id: UUID, command: MapColumns) -> ImportDetail:
    """Set the targets of columns and the options; remembered for files with the same columns.

    Raises: ImportNotFound, ImportNotReady, InvalidInput, UnknownOwner.
    """
    actor.require(LEADS_WRITE)
    found, _ = await changeable(tx, actor, import_id=import_id)
    _check_targets(command.targets, len(found.columns))
    if command.owner_id is not None:
        try:
            await identity.get_member(tx, actor, user_id=command.owner_id)
        except MemberNotFound as error:
            raise UnknownOwner from error
    options = command.model_dump(mode="json", by_alias=True, exclude={"targets"})
    if command.duplicates is Duplicates.COMBINE:
        del options["duplicates"]  # the default, which processes of the release before do not know
    chosen = [
        replace(column, target=target, confidence=column.confidence if target == column.target else 1.0)
        for column, target in zip(found.columns, command.targets, strict=True)
    ]
    require_related(actor, chosen, command)
    await store.set_mapping(tx, found, chosen, options)
    await store.remember_mapping(tx, found, command.targets, options)
    await record(tx, actor, ImportAuditAction.MAPPED, import_id, found.filename)
    return await queries.get_import(tx, actor, import_id=import_id)


async def changeable(tx: Transaction, actor: Actor, *, import_id: UUID) -> tuple[StoredImport, FileFormat]:
    """The import, locked, if its mapping can be changed. Raises: ImportNotFound, ImportNotReady."""
    found = await store.lock(tx, actor.workspace_id, import_id)
    if found is None:
        raise ImportNotFound
    if found.status not in CHANGEABLE or found.changeset_id is not None or found.format is None:
        message = f"The import is {found.status}. Its mapping can't be changed now."
        raise ImportNotReady(message)
    return found, found.format


def _check_targets(targets: Sequence[str], width: int) -> None:
    faults: list[FieldError] = []
    if len(targets) != width:
        faults.append(FieldError("/targets", "invalid_format", f"Must have {width} targets, one per column."))
    if Target.EMAIL not in targets:
        message = "Map one column to email."
        faults.append(FieldError("/targets", "required", message))
    seen: set[str] = set()
    for index, given in enumerate(targets):
        key = custom_key_of(given)
        target = given if key is None else CUSTOM + key
        if target in seen and target != Target.IGNORE:
            faults.append(FieldError(f"/targets/{index}", "duplicate", "Map each target to one column only."))
        seen.add(target)
    if faults:
        raise InvalidInput("Fix the mapping.", errors=faults)
