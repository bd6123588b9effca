"""Files that somebody imports into a showcase, and an import of one in every state."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.imports.service import lifecycle
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.db.sql import sql
from tests.support import cast
from tests.support.desk import Desk, csv_of

_LONG = "Notes that somebody has taken over the years, in a column whose name says more than anybody wanted to know 📝"
_HEADER = ("E-Mail", "Vorname", "Last name", "Unternehmen", "Telephone", "Opt-out", "Plan", _LONG)
_ROWS: Sequence[Sequence[str]] = (
    (
        "ada.lovelace@analytical-engines.example",
        "Ada",
        "King, Countess of Lovelace",
        "Analytical Engines",
        "",
        "yes",
        "Pro",
        "x",
    ),
    ("grace.hopper@navy-systems.example", "Grace", "Hopper", "Navy Systems", "+1 202 555 0143", "", "Team 🚀", ""),
    (
        "emmy.noether@goettingen.example",
        "Emmy",
        "Noether",
        "Universität Göttingen",
        "",
        "",
        "Free",
        "lorem ipsum " * 30,
    ),
    ("سارة@مثال.إختبار", "سارة", "منصور", "شركة الأرز", "", "", "", ""),
    (
        "rosalind@kings.example",
        "Rosalind",
        "Franklin <script>alert(1)</script>",
        "King’s",
        "",
        "",
        "Pro",
        "=HYPERLINK(1)",
    ),
    ("not an address", "Nobody", "At all", "", "", "", "", ""),
    ("chien@columbia.example", "Chien-Shiung", "Wu", "Columbia", "12", "", "", "The number is too short"),
    ("emmy.noether@goettingen.example", "Emmy", "Again", "", "", "", "", ""),
)
FILE = csv_of([_HEADER, *_ROWS])
_NAMES = ("Email", "Metric", "Überschrift 🌍", "Note", "Flag", "Score")
WIDE = csv_of([[f"{name} {number}" for number in range(10) for name in _NAMES], ["a@b.example"] * 10 * len(_NAMES)])
_NEW = csv_of([("email", "first name"), ("hedy@signals.example", "Hedy"), ("dorothy@langley.example", "Dorothy")])

_SET = sql("""
UPDATE imports SET status = coalesce(:status, status), error = :error, staged_bytes = staged_bytes + size_bytes / 3,
    row_count = greatest(row_count, 4100), phase_started_at = now() - interval '9 seconds', updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id
""")


async def add_imports(desk: Desk) -> Mapping[str, UUID]:
    """An import in every state, by the state's name."""
    made = {
        "wide": await desk.upload(WIDE, "sixty columns 🌍.csv"),
        "uploaded": await desk.upload(FILE, "Messe Göttingen.csv"),
    }
    for name in (
        "staging",
        "failed",
        "unchanged",
        "previewed",
        "committing",
        "paused",
        "cancelled",
        "committed",
        "undone",
    ):
        made[name] = await desk.upload(_NEW if name in ("committed", "undone") else FILE, f"{name}.csv")
    for name in ("previewed", "committing", "paused", "cancelled", "committed", "undone"):
        await _previewed(desk, made[name])
    await _previewed(desk, made["unchanged"], mode="update_only", existing="keep")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await lifecycle.preview_import(tx, desk.actor, import_id=made["staging"], trace={})
        for name in ("committing", "paused", "cancelled"):
            await lifecycle.commit_import(tx, desk.actor, import_id=made[name], trace={})
        await lifecycle.pause_import(tx, desk.actor, import_id=made["paused"])
        await lifecycle.cancel_import(tx, desk.actor, import_id=made["cancelled"])
    await _undone(desk, made["undone"])
    await desk.commit(made["committed"])
    error = "Row 4 711 has more than 1 048 576 characters in one line. Is a quotation mark not closed?"
    async with desk.database.system() as tx:
        for name, status, why in (("staging", None, None), ("failed", "failed", error)):
            values = {"workspace_id": desk.actor.workspace_id, "id": made[name], "status": status, "error": why}
            await tx.execute(_SET, values)
    return made


async def _previewed(desk: Desk, import_id: UUID, **options: object) -> None:
    targets = [column.target for column in (await desk.get(import_id)).columns]
    await desk.map(import_id, targets, existing=options.pop("existing", "overwrite"), **options)
    await desk.preview(import_id)


async def _undone(desk: Desk, import_id: UUID) -> None:
    """Imported, one lead of it edited, and undone."""
    await desk.commit(import_id)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        (lead,) = (await queries.list_leads(tx, desk.actor, filters=LeadFilter(q="hedy"), limit=1)).items
        change = UpdateLead.model_validate({"company": cast.lead("hedy@signals.example")["company"]})
        await service.update_lead(tx, desk.actor, lead_id=lead.id, command=change, expected_version=lead.version)
    await desk.undo(import_id)
