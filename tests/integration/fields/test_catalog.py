"""Every field of the catalogue is in the schema and in every contract: one that is forgotten has its name here."""

from leadflood.domains.duplicates.contracts import MERGED_FIELDS
from leadflood.domains.exports.models import FIELDS as EXPORTED
from leadflood.domains.imports.models.fields import TARGETS, UPDATABLE
from leadflood.domains.leads import labels
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import CreateLead, LeadView, UpdateLead
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql

_COLUMNS = sql("""
SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'leadflood' AND table_name = :name
""")
_SOURCE = sql("SELECT prosrc FROM pg_proc WHERE proname = :name AND pronamespace = 'leadflood'::regnamespace")
NAMES = {field.name for field in LEAD_FIELDS}


async def test_the_schema_stores_and_compares_every_field(database: Database) -> None:
    async with database.system(read_only=True) as tx:
        tables = {
            name: {row.name for row in await tx.all(_COLUMNS, {"name": name})} for name in ("leads", "import_rows")
        }
        functions = {name: await tx.scalar(_SOURCE, {"name": name}) for name in ("lead_image", "lead_fields_differ")}

    for table, columns in tables.items():
        assert NAMES - columns == set(), table
    for function, source in functions.items():
        assert {name for name in NAMES if f".{name}" not in source} == set(), function


def test_every_contract_and_list_knows_every_field() -> None:
    for contract in (CreateLead, UpdateLead, LeadView):
        assert NAMES - set(contract.model_fields) == set(), contract
    api_names = {field.api_name for field in LEAD_FIELDS}
    assert api_names == set(labels.FIELDS)
    assert api_names - set(EXPORTED) == set()
    assert set(MERGED_FIELDS) == {field.api_name for field in LEAD_FIELDS if field.mergeable}
    plain = {field.api_name for field in LEAD_FIELDS if field.importable and not field.identity}
    assert plain | {"customFields"} == set(UPDATABLE)
    assert {name.removesuffix("Id") for name in api_names} - set(TARGETS) == set()
    assert {name.removesuffix("Id") for name in api_names} - {field.name for field in LEAD_FILTERS} == set()
