"""A result of `leadflood enrich` for people: facts with their receipts, and the answer of each source."""

from typing import TYPE_CHECKING, Any, Final

from leadflood.cli.output import TableColumn, print_table, say, visible

if TYPE_CHECKING:
    from leadflood.cli.enrich_records import JsonObject

_QUOTE: Final = 60
_STEP_WORDS: Final = {
    "found": "found",
    "missed": "nothing",
    "refused": "refused",
    "waiting": "busy",
    "away": "no answer",
    "failed": "error",
    "skipped": "not asked",
}


def print_record(record: "JsonObject") -> None:
    """A target for people: its facts with their receipts, and what each source answered."""
    from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
    from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS

    say()
    say(f"{visible(record['input'])}: {visible(record['message'])}")
    for part, catalog in (("person", PERSON_FIELDS), ("company", COMPANY_FIELDS)):
        facts = [(name, fact) for name, found in record[part].items() for fact in _as_list(found)]
        rows = [
            (catalog[name].label, fact["value"], f"{fact['confidence']:.2f}", *_receipt(fact)) for name, fact in facts
        ]
        if rows:
            say()
            titles = (part, "value", "confidence", "source", "why", "where")
            print_table([TableColumn(title) for title in titles], rows)
    if record["steps"]:
        say()
        steps = [
            (step["label"], _STEP_WORDS[step["state"]], f"{step['seconds']:.1f} s", step["message"])
            for step in record["steps"]
        ]
        print_table([TableColumn(title) for title in ("source", "answer", "time", "details")], steps)


def _as_list(found: Any) -> list[Any]:  # noqa: ANN401  JSON
    return found if isinstance(found, list) else [found]


def _receipt(fact: "JsonObject") -> tuple[str, str, str]:
    quote = fact["quote"] or ""
    cut = quote if len(quote) <= _QUOTE else f"{quote[:_QUOTE]}…"
    why = f'{fact["evidence"]} "{cut}"' if quote else fact["evidence"]
    return ", ".join(fact["agreeing"]), why, fact["sourceUrl"] or ""
