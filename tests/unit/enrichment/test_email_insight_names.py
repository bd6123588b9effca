import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from tests.support.samples import rows
from tests.unit.enrichment.finding import receipts, values


async def names(email: str, **known: str) -> tuple[object, object]:
    found = await values(email, first_name=known.get("first"), last_name=known.get("last"))
    return found.get(fields.FIRST_NAME), found.get(fields.LAST_NAME)


@pytest.mark.parametrize(
    ("local", "first", "last"),
    [
        ("ada.lovelace", "Ada", "Lovelace"),
        ("ADA_LOVELACE", "Ada", "Lovelace"),
        ("ada-lovelace", "Ada", "Lovelace"),
        ("ada.lovelace+news", "Ada", "Lovelace"),
        ("ada.lovelace1815", "Ada", "Lovelace"),
        ("AdaLovelace", "Ada", "Lovelace"),
        ("lovelace_ada", "Ada", "Lovelace"),
        ("a.lovelace", None, "Lovelace"),
        ("ada.l", "Ada", None),
        ("ada", "Ada", None),
        ("dr.ada.lovelace", "Ada", "Lovelace"),
        ("ada.lovelace.ext", "Ada", "Lovelace"),
        ("ada.k.lovelace", "Ada", "Lovelace"),
        ("ada.king.lovelace", "Ada", "Lovelace"),
        ("jean-luc.picard", "Jean-Luc", "Picard"),
        ("maria.garcia-lopez", "Maria", "Garcia-Lopez"),
        ("ludwig.van.beethoven", "Ludwig", "van Beethoven"),
        ("juan.de.la.vega", "Juan", "de la Vega"),
        ("ursula.von.der.leyen", "Ursula", "von der Leyen"),
        ("conan.o'brien", "Conan", "O'Brien"),
        ("mario.d'angelo", "Mario", "D'Angelo"),
        ("frances.mcdormand", "Frances", "McDormand"),
        ("emmanuel.macron", "Emmanuel", "Macron"),
        ("zoë.müller", "Zoë", "Müller"),
        ("søren.kierkegaard", "Søren", "Kierkegaard"),
        ("иван.петров", "Иван", "Петров"),
        ("山田.太郎", "太郎", "山田"),
        ("paris.hilton", "Paris", "Hilton"),
        ("sydney.sweeney", "Sydney", "Sweeney"),
        ("ada.sales", "Ada", None),
    ],
)
async def test_a_name_is_read_from_the_local_part(local: str, first: str | None, last: str | None) -> None:
    assert await names(f"{local}@acme.com") == (first, last)


@pytest.mark.parametrize(
    "local",
    [
        "adalovelace", "alovelace", "al", "a.l", "info", "sales.emea", "x7k2q9", "j0hn.d0e", "12345", "qwrtz.xcvbn",
        "de.vries", "a.b.c.d.e", "berlin.office", "lovelace" + "e" * 40 + ".ada", "👩‍💻.🚀", "王小明",
    ],
)  # fmt: skip
async def test_no_name_is_guessed_where_the_local_part_does_not_show_one(local: str) -> None:
    assert await names(f"{local}@acme.com") == (None, None)


@pytest.mark.parametrize(
    ("local", "known", "first", "last"),
    [
        ("adalovelace", {"first": "Ada"}, None, "Lovelace"),
        ("adalovelace", {"last": "Lovelace"}, "Ada", None),
        ("lovelaceada", {"last": "Lovelace"}, "Ada", None),
        ("zyx.qwertz", {"first": "Zyx"}, "Zyx", "Qwertz"),
        ("martin.leslie", {"last": "Martin"}, "Leslie", "Martin"),
        ("müllerzoë", {"last": "Müller"}, "Zoë", None),
    ],
)
async def test_a_known_name_explains_the_rest(
    local: str, known: dict[str, str], first: str | None, last: str | None
) -> None:
    assert await names(f"{local}@acme.com", **known) == (first, last)


async def test_a_reversed_order_is_less_sure_than_the_usual_one() -> None:
    usual = (await receipts("ada.lovelace@acme.com"))[fields.LAST_NAME]
    reversed_ = (await receipts("lovelace_ada@acme.com"))[fields.LAST_NAME]
    assert usual.confidence > reversed_.confidence
    assert usual.method == "local_part_pattern"
    assert usual.evidence == "The address reads like a first and a last name."


async def test_a_throw_away_mailbox_gives_no_name() -> None:
    assert await names("ada.lovelace@mailinator.com") == (None, None)


@pytest.mark.samples
async def test_names_of_the_samples_are_read_in_the_usual_order_and_seldom_wrong() -> None:
    right = wrong = 0
    people = [row["expected"] for row in rows("names/probablepeople_person.jsonl")]
    both = [(person.get("first", "").lower(), person.get("last", "").lower()) for person in people]
    plain = [pair for pair in both if all(len(part) > 1 and part.isascii() and part.isalpha() for part in pair)]
    for first, last in plain:
        found = tuple(str(name or "").lower() for name in await names(f"{first}.{last}@acme.com"))
        right += found == (first, last)
        wrong += found not in ((first, last), ("", ""))
    assert right / len(plain) >= 0.95, f"{right} of {len(plain)}"
    assert wrong / len(plain) <= 0.02, f"{wrong} of {len(plain)}"
