import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from tests.support.samples import rows
from tests.unit.enrichment.finding import receipts, values


@pytest.mark.parametrize(
    ("domain", "company_domain"),
    [
        ("acme.com", "acme.com"),
        ("ACME.com", "acme.com"),
        ("mail.eu.acme.co.uk", "acme.co.uk"),
        ("acme.github.io", "acme.github.io"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("post.example.中国", "example.xn--fiqs8s"),
        ("co.uk", None),
        ("acme.notatld", None),
        ("localhost", None),
        ("[192.0.2.1]", None),
        ("gmail.com", None),
        ("hawaii.rr.com", None),
        ("sub.mailinator.com", None),
        ("gmial.com", None),
    ],
)
async def test_the_company_domain_is_the_registrable_one_of_an_employer(
    domain: str, company_domain: str | None
) -> None:
    assert (await values(f"ada@{domain}")).get(fields.COMPANY_DOMAIN) == company_domain


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("acme.com", "Acme"),
        ("red-gate.com", "Red Gate"),
        ("datadoghq.com", "Datadog"),
        ("ibm.com", "IBM"),
        ("jobs.xn--bcher-kva.de", "Bücher"),
        ("1234.com", None),
        ("gmail.com", None),
    ],
)
async def test_the_company_name_is_read_from_its_label_without_being_sure(domain: str, name: str | None) -> None:
    found = await receipts(f"ada@{domain}")
    assert (found[fields.COMPANY_NAME].value if fields.COMPANY_NAME in found else None) == name
    assert all(value.confidence <= 0.5 for field, value in found.items() if field is fields.COMPANY_NAME)


@pytest.mark.parametrize(
    ("domain", "free", "disposable"),
    [
        ("gmail.com", True, False),
        ("yahoo.co.uk", True, False),
        ("qq.com", True, False),
        ("wp.pl", True, False),
        ("hawaii.rr.com", True, False),
        ("mailinator.com", False, True),
        ("x.mailinator.com", False, True),
        ("acme.com", False, False),
        ("mailinator.com.acme.com", False, False),
    ],
)
async def test_free_and_throw_away_mailboxes_are_told_apart(domain: str, *, free: bool, disposable: bool) -> None:
    found = await values(f"ada@{domain}")
    assert (found[fields.IS_FREE_MAIL], found[fields.IS_DISPOSABLE]) == (free, disposable)


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"), ("gmail.con", "gmail.com"), ("gmail.cmo", "gmail.com"), ("gmail.co", "gmail.com"),
        ("gmai.com", "gmail.com"), ("yahooo.com", "yahoo.com"), ("yaho.co.uk", "yahoo.co.uk"),
        ("hotnail.com", "hotmail.com"), ("hotmial.fr", "hotmail.fr"), ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"), ("gmail.com.com", "gmail.com"), ("gmailcom", "gmail.com"),
        ("protonmial.com", "protonmail.com"), ("live.con", "live.com"), ("acme.con", "acme.com"),
        ("acme.cmo", "acme.com"), ("mail.acme.ogr", "mail.acme.org"),
    ],
)  # fmt: skip
async def test_a_slip_in_the_domain_gets_the_whole_address_that_was_meant(domain: str, meant: str) -> None:
    assert (await values(f"Ada.L@{domain}")).get(fields.LIKELY_TYPO_OF) == f"Ada.L@{meant}"


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com", "mail.com", "gmx.net", "ymail.com", "email.com", "me.com", "live.com", "aol.com", "aon.com",
        "olive.com", "cloud.com", "line.com", "mali.com", "hotmail.cl", "yahoo.co.jp", "outdoor.com", "horizon.net",
        "comcast.com", "charger.net", "hotel.com", "mail.yahoo.com", "acme.co", "acme.cm", "acme.om", "proton.me",
        "acme.corp", "acme.local", "acme.test", "tree.fr", "photon.me", "bücher.de", "github.io",
    ],
)  # fmt: skip
async def test_a_domain_that_may_be_right_is_left_alone(domain: str) -> None:
    assert fields.LIKELY_TYPO_OF not in await values(f"ada@{domain}")


@pytest.mark.parametrize(
    ("email", "canonical"),
    [
        ("Ada.Lovelace+news@Gmail.com", "adalovelace@gmail.com"),
        ("a.d.a@googlemail.com", "ada@gmail.com"),
        ("Ada.Lovelace+news@acme.com", "ada.lovelace@acme.com"),
        ("ada-shop@yahoo.com", "ada@yahoo.com"),
        ("ada.l@outlook.com", "ada.l@outlook.com"),
        ("ada@yandex.com", "ada@yandex.ru"),
        ("ada@BÜCHER.de", "ada@xn--bcher-kva.de"),
        ("+tag@acme.com", "+tag@acme.com"),
        ("...@gmail.com", "...@gmail.com"),
    ],
)
async def test_addresses_of_one_mailbox_get_one_spelling(email: str, canonical: str) -> None:
    assert (await values(email))[fields.CANONICAL_EMAIL] == canonical


async def test_an_international_domain_is_shown_as_people_read_it() -> None:
    found = (await receipts("ada@xn--bcher-kva.de"))[fields.COMPANY_DOMAIN]
    assert found.value == "xn--bcher-kva.de"
    assert "bücher.de" in found.evidence


@pytest.mark.samples
async def test_slips_of_the_samples_are_corrected_and_right_domains_are_left_alone() -> None:
    right, wrong, slips, correct = 0, [], 0, 0
    for row in rows("email/domain_typos.jsonl"):
        meant, said = row["expected"]["suggest"], (await values(f"ada@{row['input']}")).get(fields.LIKELY_TYPO_OF)
        slips += meant is not None
        correct += meant is None
        right += said is not None and said == f"ada@{meant}"
        if said is not None and said != f"ada@{meant}":
            wrong.append(row["input"])
    assert right / slips >= 0.9, f"{right} of {slips}"
    assert wrong == [], f"of {correct} right ones"


@pytest.mark.samples
async def test_domains_of_real_companies_are_companies_and_no_slips() -> None:
    companies = rows("names/company_domain.jsonl")
    mistaken, named = [], 0
    for row in companies:
        found = await values(f"ada@{row['expected']['domain']}")
        if fields.LIKELY_TYPO_OF in found or found[fields.IS_FREE_MAIL] or found[fields.IS_DISPOSABLE]:
            mistaken.append(row["expected"]["domain"])
        named += _letters(str(found.get(fields.COMPANY_NAME))) == _letters(row["input"])
    assert mistaken == []
    assert named / len(companies) >= 0.7, f"{named} of {len(companies)}"


@pytest.mark.samples
async def test_throw_away_and_free_domains_of_the_samples_are_recognised() -> None:
    for row in rows("lists/disposable_sample.jsonl"):
        found = await values(f"ada@{row['input']}")
        assert found[fields.IS_DISPOSABLE] == row["expected"]["disposable"], row["input"]
        assert found[fields.IS_FREE_MAIL] or not row["expected"].get("free"), row["input"]


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
