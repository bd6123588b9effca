"""The leads of benchmarks and plan tests are like those of a CRM, and always the same."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from leadflood.kernel.phone_number import normalise_phone
from leadflood.kernel.web_address import normalise_website
from tests.support import crowd
from tests.support.postgres import Cluster
from tests.support.search_text import search_text

MANY = 20_000
PEOPLE = "SELECT json_agg(people) FROM pg_temp.people(:low, :high, :seed) people"


def people(cluster: Cluster, low: int, high: int, seed: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        cluster.run(crowd.people() + PEOPLE, low=str(low), high=str(high), seed=str(seed))
    )
    return sorted(found, key=lambda person: person["n"])


@pytest.fixture(scope="module")
def many(cluster: Cluster) -> list[dict[str, Any]]:
    return people(cluster, 1, MANY)


def test_a_person_is_the_same_however_many_there_are(cluster: Cluster, many: list[dict[str, Any]]) -> None:
    assert people(cluster, 4001, 4100) == many[4000:4100]
    assert people(cluster, 4001, 4100, seed=2) != many[4000:4100]


def test_a_person_is_stored_as_the_application_would(many: list[dict[str, Any]]) -> None:
    assert len({person["email"] for person in many}) == MANY
    for person in many:
        name = person["first_name"], person["last_name"]
        assert person["search_text"] == search_text(*name, person["email"], person["company"])
        assert person["phone"] is None or normalise_phone(person["phone"], None) == person["phone"]
        assert person["website"] is None or normalise_website(person["website"]) == person["website"]


def test_few_are_common_and_most_are_rare(many: list[dict[str, Any]]) -> None:
    companies = Counter(person["company"] for person in many if person["company"])
    domains = Counter(person["email"].partition("@")[2] for person in many)
    countries = Counter(person["country"] for person in many)

    assert len(companies) > MANY / 3
    assert companies.most_common(1)[0][1] > 50
    assert sum(1 for count in companies.values() if count == 1) > len(companies) / 2
    assert domains.most_common(1)[0][0] == "gmail.com"
    assert 0.3 < sum(count for _, count in domains.most_common(10)) / MANY < 0.5
    assert countries["DE"] > 10 * countries["NZ"] > 0
    assert 0.05 < sum(not (person["first_name"] or "a").isascii() for person in many) / MANY < 0.4


def test_fields_are_missing_and_people_come_twice(many: list[dict[str, Any]]) -> None:
    for name, share in {"phone": 0.4, "company": 0.15, "country": 0.2, "job_title": 0.45}.items():
        assert abs(sum(person[name] is None for person in many) / MANY - share) < 0.02
    assert abs(sum(person["custom_fields"] != {} for person in many) / MANY - 0.2) < 0.02
    told = [tuple(person[name] for name in ("last_name", "company", "phone")) for person in many]
    twice = Counter(one for one in told if None not in one)
    assert 0.005 * MANY < sum(1 for count in twice.values() if count > 1) < 0.02 * MANY


def test_a_file_to_import_has_the_rows_that_were_asked_for(
    cluster: Cluster, many: list[dict[str, Any]], tmp_path: Path
) -> None:
    crowd.write_csv(cluster, tmp_path / "leads.csv", rows=3000, existing=20, leads=MANY - 10)

    with (tmp_path / "leads.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    addresses = Counter(row["Email"].replace(" at ", "@") for row in rows)
    known = {person["email"]: person for person in many}
    existing = [row for row in rows if row["Email"] in known]
    assert len(rows) == 3000
    assert sum(addresses[email] for email in known) == 600
    assert sum(1 for count in addresses.values() if count == 2) == 24
    assert 0 < sum(" at " in row["Email"] for row in rows) < 50
    assert 0 < sum((known[row["Email"]]["job_title"] or "") != row["Job Title"] for row in existing) < 300
