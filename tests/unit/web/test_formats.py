import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from jinja2.runtime import Context

from leadflood.web import formats, labels
from leadflood.web.formats import DEFAULT

NOON = datetime(2026, 11, 29, 17, 4, 5, tzinfo=UTC)


def visit_of(region: str) -> Context:
    formats.use(formats.region_of(None, region))
    return cast("Context", {"ctx": SimpleNamespace(now=NOON, time_zone=UTC)})


@pytest.fixture(autouse=True)
def here() -> None:
    formats.use(DEFAULT)


@pytest.mark.parametrize(
    ("accepted", "number", "share", "date", "time"),
    [
        ("", "2,273.5", "50%", "Nov 29, 2026", "5:04\N{NARROW NO-BREAK SPACE}PM"),
        ("de-DE,de;q=0.9,en;q=0.8", "2.273,5", "50\N{NO-BREAK SPACE}%", "29 Nov 2026", "17:04"),
        ("en-GB", "2,273.5", "50%", "29 Nov 2026", "17:04"),
        ("pt-BR", "2.273,5", "50%", "29 Nov 2026", "17:04"),
        ("hi-IN", "2,273.5", "50%", "29 Nov 2026", "5:04\N{NARROW NO-BREAK SPACE}PM"),
    ],
)
def test_numbers_dates_and_times_follow_the_region_and_words_stay_english(
    accepted: str, number: str, share: str, date: str, time: str
) -> None:
    context = visit_of(accepted)

    assert (formats.number(2273.5), formats.percent(0.5)) == (number, share)
    assert (formats.clock(context, NOON, "date"), formats.clock(context, NOON, "time")) == (date, time)


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("fr;q=0.2, de-AT;q=0.9", "de-AT"),
        ("de", "de-DE"),
        ("x-nonsense, en-AU", "en-AU"),
        ("*", "en-US"),
        ("tlh", "en-US"),
        ("de;q=nonsense, fr-CA", "fr-CA"),
        ("a" * 10_000, "en-US"),
    ],
)
def test_the_region_is_the_first_that_the_browser_prefers_and_we_know(accepted: str, tag: str) -> None:
    assert formats.region_of(None, accepted).tag == tag


def test_what_the_profile_says_wins_over_the_browser() -> None:
    assert formats.region_of("de-CH", "en-US").tag == "de-CH"


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=50), "3 hours ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "Nov 22, 2026"),
        (timedelta(seconds=-30), "in a moment"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_how_long_ago_is_said_in_words_and_from_a_week_on_as_a_date(before: timedelta, told: str) -> None:
    assert formats.ago(visit_of(""), NOON - before) == told


def test_a_phone_number_is_shown_in_international_form() -> None:
    assert formats.phone("+12015556773;ext=312") == "+1 201-555-6773 ext. 312"
    assert formats.phone("not a number") == "not a number"


@pytest.mark.parametrize(
    ("code", "name"), [("BO", "Bolivia"), ("DE", "Germany"), ("TW", "Taiwan"), ("XK", "Kosovo"), ("ZZ", None)]
)
def test_countries_have_the_names_that_people_use(code: str, name: str | None) -> None:
    assert formats.country(code) == name


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 bytes"), (999, "999 bytes"), (1234, "1.2 KB"), (12_345_678, "12 MB"), (2 * 10**9, "2 GB")],
)
def test_a_size_has_the_unit_that_fits(count: int, told: str) -> None:
    assert formats.size(count) == told


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("/jobTitle", "Job title"),
        ("job_title", "Job title"),
        ("/customFields/plan", "plan"),
        ("custom_fields.plan", "plan"),
        ("scopes.0", "Scopes"),
        ("is_free_mail", "Free email provider"),
        ("unheard_of", "Unheard of"),
    ],
)
def test_a_field_has_one_name_however_it_is_given(name: str, label: str) -> None:
    assert labels.field(name) == label


TAKEN_FOR_THE_DEFAULT = """
from leadflood.web.formats import DEFAULT, region_of, regions
print([tag for tag in regions() if region_of(tag, "") == DEFAULT])
"""


def test_every_region_that_can_be_chosen_is_known() -> None:
    # In a process of its own: the data of all locales, which Babel keeps, are 90 MB.
    asked = subprocess.run([sys.executable, "-c", TAKEN_FOR_THE_DEFAULT], capture_output=True, text=True, check=True)

    assert asked.stdout == "['en-US']\n", "others are taken for the default"
    assert len(formats.regions()) > 200
    assert formats.regions()["de-DE"] == "Germany"


@pytest.mark.parametrize(
    ("locale", "currency", "micros", "text"),
    [
        ("en-US", "EUR", 2_500_000, "€2.50"),
        ("en-US", "EUR", 25_000, "€0.025"),
        ("en-US", "USD", 1_234_500_001, "$1,234.500001"),
        ("de-DE", "EUR", 1_234_500_000, "1.234,50\N{NO-BREAK SPACE}€"),
        ("ja-JP", "JPY", 5_000_000, "￥5"),
        ("en-US", "CHF", 0, "CHF\N{NO-BREAK SPACE}0.00"),
    ],
)
def test_money_has_as_many_decimals_as_it_needs(locale: str, currency: str, micros: int, text: str) -> None:
    formats.use(formats.region_of(locale, ""))

    assert formats.money(micros, currency) == text
