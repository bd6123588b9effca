"""A file as a CRM exports it, of any length: what people leave in cells, and how often each of it is in there."""

import csv
import random
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path

HEADER = ("Record ID", "First Name", "Last Name", "Email", "Phone Number", "Company Name", "Job Title", "Website URL",
          "Country/Region", "Contact owner", "Lead Source", "Notes", "Create Date")  # fmt: skip
_FIRST = ("Anna", "José", "Jürgen", "Zoë", "Łukasz", "Иван", "伟", "Fatma", "Seán", "María José", "Dr. Eva", "Ola")
_LAST = ("Müller", "O'Neill", "García Márquez", "van der Berg", "Nowak", "Петров", "王", "Yıldız", "Smith", "D’Angelo")
_COMPANIES = ("Acme GmbH", "Nordlabs A/S", "Möbel & Söhne KG", "Blue, Sky Ltd", '"Quote" Inc.', "Ünlü Ltd. Şti.")
_TITLES = ("CEO", "Head of Sales", "Geschäftsführer", "Responsable des achats", "VP, Marketing", "")
_COUNTRIES = ("Germany", "Deutschland", "Österreich", "Schweiz", "España", "Italia", "United States", "U.S.", "UK",
              "Brasil", "FR", "The Netherlands", "")  # fmt: skip
_PHONES = ("+49 151 2345{:04}", "+44 7911 12{:04}", "+1 (415) 555-{:04}", "+33 6 12 34 {:04}", "")
_EMAIL, _PHONE, _COMPANY, _TITLE, _WEBSITE, _COUNTRY, _NOTES = 3, 4, 5, 6, 7, 8, 11
_SPOILED = {
    "/email other_value": (_EMAIL, 7, ("{}; office@elsewhere.com", "{}, another@elsewhere.com")),
    "": (_EMAIL, 10, ("{} ", "<{}>", "mailto:{}", "\u200b{}", "Ada Lovelace <{}>")),
    "/phone": (_PHONE, 25, ("12", "ask Tom", "4.91702E+11", "000000", "+1 555")),
    "/country": (_COUNTRY, 6, ("EMEA", "Narnia", "DACH region")),
    "/phone placeholder": (_PHONE, 10, ("-", "n/a", "#N/A", "NULL", "none")),
    "/country placeholder": (_COUNTRY, 10, ("-", "n/a", "#N/A", "NULL", "none")),
    "/customFields/notes cut": (_NOTES, 1, ("long " * 600,)),
    "/jobTitle": (_TITLE, 1, ("Director of " * 30,)),
}
"""Values left out, by field and code: the column, in how many rows of a thousand, and the texts in it."""
_NO_ADDRESS = ("", "n/a", "none", "call reception", "@acme.com", "ada@", "-")
_ROWS = {"blank": 1, "duplicate": 20, "no_address": 5}
"""Rows that make no lead of their own, of a thousand."""
_SHARES = [share for _, share, _ in _SPOILED.values()]


def write_messy(file: Path, *, rows: int, seed: int = 1) -> Counter[str]:
    """Write a CSV file. Returns how many rows are `blank`, `duplicate` or `no_address`, or have which value from above.

    Each person has another address. A duplicate has address and title of one of the last 500 people, and no more.
    """
    draw = random.Random(seed)  # noqa: S311  the same file for the same seed
    planted: Counter[str] = Counter()
    recent: deque[tuple[str, str]] = deque([("first@acme.com", "CEO")], maxlen=500)
    with file.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(HEADER)
        lines.writerow(["", "", "", *recent[0][:1], *[""] * 9])
        for number in range(1, rows):
            (kind,) = draw.choices((*_ROWS, *_SPOILED, "fine"), (*_ROWS.values(), *_SHARES, 1000 - sum(_SHARES)))
            planted[kind] += 1
            row = [""] * len(HEADER)
            if kind == "duplicate":
                row[_EMAIL], row[_TITLE] = draw.choice(recent)
            elif kind != "blank":
                row = _person(draw, number)
                if kind == "no_address":
                    row[_EMAIL] = draw.choice(_NO_ADDRESS)
                else:
                    recent.append((row[_EMAIL], row[_TITLE]))
                if kind in _SPOILED:
                    column, _, texts = _SPOILED[kind]
                    row[column] = draw.choice(texts).format(row[column])
            lines.writerow(row)
    return planted


def _person(draw: random.Random, number: int) -> list[str]:
    domain = f"company{number % 5000}.com"
    return [
        str(100_000 + number),
        draw.choice(_FIRST),
        draw.choice(_LAST),
        f"person.{number}@{domain}",
        draw.choice(_PHONES).format(number % 10_000),
        draw.choice(_COMPANIES),
        draw.choice(_TITLES),
        f"https://www.{domain}" if number % 3 else "",
        draw.choice(_COUNTRIES),
        "former.colleague@oldcrm.com" if number % 9 == 0 else "",
        draw.choice(("Website", "Trade Show", "Referral", "")),
        "Met at the booth,\nwants a call" if number % 50 == 0 else "",
        "2026-03-01 10:22",
    ]


def require_reported(counts: Mapping[str, int], errors: Mapping[str, int], planted: Counter[str], *, rows: int) -> None:
    """Each row of an import did what was planted in it, and each value that was left out is reported with its field."""
    skipped, rejected = planted["blank"] + planted["duplicate"], planted["no_address"]
    done = {action: count for action, count in counts.items() if count}
    assert done == {"create": rows - skipped - rejected, "skip": skipped, "reject": rejected}
    for kind in _SPOILED:
        if " " in kind:
            assert errors.get(kind, 0) == planted[kind], kind
        elif kind:
            others = [key for key in _SPOILED if key.startswith(f"{kind} ")]
            found = sum(n for key, n in errors.items() if key.startswith(f"{kind} ") and key not in others)
            assert found == planted[kind], kind
