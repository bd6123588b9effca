"""Which values compete after a retraction: those that the same source wrote before."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from leadflood.domains.enrichment.models.retractions import competing

_SPACE = UUID(int=1)


@dataclass(frozen=True)
class Value:
    source: str
    lookup_id: UUID
    field: str
    text: str
    retraction_id: UUID | None = None


def hit(source: str, hit_name: str, retracted: str = "", /, **values: str) -> list[Value]:
    """A hit with values by field; those in `retracted` were retracted."""
    gone = retracted.split()
    return [
        Value(source, uuid5(_SPACE, source + hit_name), field, text, UUID(int=9) if field in gone else None)
        for field, text in values.items()
    ]


def texts(*hits: list[Value]) -> set[tuple[str, str, str]]:
    """`hits`: newest first."""
    return {(item.source, item.field, item.text) for item in competing(value for each in hits for value in each)}


def test_only_the_latest_hit_of_each_source_competes() -> None:
    found = texts(
        hit("web", "new", name="New"), hit("dns", "one", city="Bonn"), hit("web", "old", name="Old", city="X")
    )

    assert found == {("web", "name", "New"), ("dns", "city", "Bonn")}


def test_a_hit_whose_values_are_all_retracted_is_as_if_it_had_not_been() -> None:
    new = hit("web", "new", "name country", name="New", country="FR")
    found = texts(new, hit("web", "old", name="Old", city="Bonn"), hit("web", "older", phone="1"))

    assert found == {("web", "name", "Old"), ("web", "city", "Bonn")}


def test_of_a_hit_that_keeps_some_values_only_the_retracted_fields_come_from_before() -> None:
    new = hit("web", "new", "country", name="New", country="FR")
    old = hit("web", "old", "country", name="Old", country="XX", city="Bonn")
    found = texts(new, old, hit("web", "older", country="DE", name="Older"), hit("web", "oldest", country="AT"))

    assert found == {("web", "name", "New"), ("web", "country", "DE")}


def test_what_was_never_written_before_is_missing() -> None:
    assert texts(hit("web", "new", "country", country="FR")) == set()
    assert texts(hit("web", "new", "country", country="FR", name="New"), hit("web", "old", city="Bonn")) == {
        ("web", "name", "New")
    }
