import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from tests.support.samples import rows
from tests.unit.enrichment.finding import receipts, values


@pytest.mark.parametrize(
    "local",
    [
        "info", "INFO", "sales", "sales+emea", "sales.emea", "sales_team", "no-reply", "no.reply", "noreply-billing",
        "postmaster", "abuse", "customer.service", "customerservice", "info2", "support-de", "acme.support", "hr",
        "kontakt", "vertrieb", "buchhaltung", "geschaeftsfuehrung", "ventas", "contabilidade", "comptabilité",
        "réception", "amministrazione", "klantenservice", "kundtjänst", "biuro", "księgowość", "ügyfélszolgálat",
        "muhasebe", "продажи", "客服", "営業", "the.principal", "mailer-daemon", "berlin", "2024",
    ],
)  # fmt: skip
async def test_a_function_is_no_person(local: str) -> None:
    found = await values(f"{local}@acme.com")
    assert found[fields.IS_ROLE_ADDRESS] is True
    assert fields.FIRST_NAME not in found
    assert fields.LAST_NAME not in found


@pytest.mark.parametrize(
    "local",
    [
        "ada.lovelace", "ada", "alovelace", "lovelace", "mark.price", "russell.brand", "m.pop", "paris.hilton",
        "jsmith", "salesmann.peter", "infante", "dev.patel", "hrvoje", "titus", "markus", "supporta", "ada+sales",
        "1234567890", "x", "o'neill",
    ],
)  # fmt: skip
async def test_a_person_is_no_function(local: str) -> None:
    assert (await values(f"{local}@acme.com"))[fields.IS_ROLE_ADDRESS] is False


async def test_a_word_for_a_function_that_is_the_leads_own_name_is_a_name() -> None:
    assert (await values("sydney@acme.com"))[fields.IS_ROLE_ADDRESS] is True
    assert (await values("sydney@acme.com", first_name="Sydney"))[fields.IS_ROLE_ADDRESS] is False


async def test_the_evidence_names_the_word() -> None:
    found = (await receipts("sales@acme.com"))[fields.IS_ROLE_ADDRESS]
    assert "'sales' is a function" in found.evidence
    assert found.method == "role_words"


@pytest.mark.samples
async def test_role_addresses_of_the_samples_are_recognised_and_people_are_not() -> None:
    missed, mistaken, roles, people = [], [], 0, 0
    for row in rows("lists/role_accounts.jsonl"):
        said = (await values(row["input"]))[fields.IS_ROLE_ADDRESS]
        roles += row["expected"]["role"]
        people += not row["expected"]["role"]
        if row["expected"]["role"] and not said:
            missed.append(row["input"])
        if said and not row["expected"]["role"]:
            mistaken.append(row["input"])
    assert len(missed) <= 0.05 * roles, missed
    assert len(mistaken) <= 0.01 * people, mistaken
