"""Extension of leads by tags: a related field, a panel, filters and bulk operations."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.tags import operations, queries
from leadflood.domains.tags.contracts import ReplaceTag, TagNames, TagRef
from leadflood.domains.tags.permissions import TAGS_READ, TAGS_WRITE
from leadflood.domains.tags.service import MERGE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import BulkOperation, Extension, Panel, RelatedField
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

_TAG_ID: Final = Column("tag_id", sql("related.tag_id"))
FILTERS: Final = (
    FilterField(
        "tags",
        "Tags",
        Kind.REFERENCE,
        _TAG_ID,
        Relation(
            "active_lead_tags",
            sql("""
EXISTS (SELECT FROM active_lead_tags related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
        options=queries.tag_names,
        multiple=True,
    ),
    # With tags that are deleted: for the bulk change that merges one, which is deleted first.
    FilterField(
        "anyTag",
        "Tags, with deleted ones",
        Kind.REFERENCE,
        _TAG_ID,
        Relation(
            "lead_tags",
            sql("""
EXISTS (SELECT FROM lead_tags related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
        listed=False,
    ),
)


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    found = await queries.tags_of_leads(tx, actor, [lead_id])
    return {"tags": found.get(lead_id, []), "all": [tag.name for tag in await queries.all_tags(tx, actor)]}


async def _load_names(tx: Transaction, actor: Actor) -> dict[str, Any]:
    return {"names": [tag.name for tag in await queries.all_tags(tx, actor)]}


def read_names(values: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Tag names of a form, separated by commas."""
    given = (name.strip() for text in values.get("tags", ()) for name in text.split(","))
    return {"names": list(dict.fromkeys(name for name in given if name))}


def _names_of(tags: Sequence[TagRef]) -> list[str]:
    return [each.name for each in tags]


EXTENSION: Final = Extension(
    fields=(
        RelatedField(
            name="tags",
            label="Tags",
            load=queries.tags_of_leads,
            schema=list[TagRef],
            empty=list,
            permission=TAGS_READ,
            cell="tags/_cell.html",
            names=_names_of,
        ),
    ),
    panels=(
        Panel(
            name="tags",
            title="Tags",
            template="tags/_panel.html",
            load=_load_panel,
            permission=TAGS_READ,
            order=10,
        ),
    ),
    operations=(
        BulkOperation(
            name="addTags",
            label="Add tags",
            heading="Add tags to",
            done="tagged",
            running="Tagging",
            icon="tag",
            permission=TAGS_WRITE,
            arguments=TagNames,
            prepare=operations.prepare_adding,
            apply=operations.apply_adding,
            undo=operations.undo,
            fields="tags/_bulk.html",
            read=read_names,
            load=_load_names,
            order=10,
        ),
        BulkOperation(
            name="removeTags",
            label="Remove tags",
            heading="Remove tags from",
            done="untagged",
            running="Untagging",
            icon="tag",
            permission=TAGS_WRITE,
            arguments=TagNames,
            prepare=operations.prepare_removing,
            apply=operations.apply_removing,
            undo=operations.undo,
            fields="tags/_bulk.html",
            read=read_names,
            load=_load_names,
            order=11,
        ),
        BulkOperation(
            name=MERGE,
            label="Merge tag",
            heading="Merge a tag of",
            done="updated",
            running="Updating",
            icon="tag",
            permission=TAGS_WRITE,
            arguments=ReplaceTag,
            prepare=operations.prepare_merging,
            apply=operations.apply_merging,
            undo=operations.undo,
            listed=False,
        ),
    ),
)
