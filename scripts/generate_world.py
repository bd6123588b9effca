"""Write the companies of the demo's internet: `python scripts/generate_world.py`. The result is the same each time."""

import json
import random  # noqa: TID251  of demo data, the same in every run
import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import phonenumbers

from leadflood.demo.internet.world import DemoCompany

TARGET = Path(__file__).resolve().parent.parent / "src/leadflood/demo/internet/world.jsonl"
SEED = 13
PER_COUNTRY = 20
FIRST = ("Nord", "Alpen", "Blau", "Linden", "Falken", "Ostra", "Silva", "Monte", "Vela", "Terra", "Luma", "Kanto",
         "Arvo", "Brisa", "Corvo", "Delta", "Elba", "Fjord", "Granit", "Helio")  # fmt: skip
SECOND = ("werk", "tech", "soft", "bau", "labs", "data", "trade", "flow", "grid", "craft")
INDUSTRIES = ("Software", "Mechanical engineering", "Construction", "Logistics", "Consulting", "Food production",
              "Medical devices", "Renewable energy", "Retail", "Financial services")  # fmt: skip
TECHNOLOGIES = ("WordPress", "Shopify", "Next.js", "Drupal", "TYPO3", "Matomo", "HubSpot", "Google Analytics",
                "nginx", "Cloudflare", "Bootstrap", "jQuery")  # fmt: skip
MAIL = ("aspmx.l.google.com", "mail.protection.outlook.com", "mx00.ionos.de", "mx1.mail.ovh.net")
MARKUP = ("json-ld", "broken-json-ld", "microdata", "opengraph", "meta", "none")


def luhn(digits: str) -> str:
    """The digits with a check digit (ISO/IEC 7812-1, annex B)."""
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def german_vat(digits: str) -> str:
    """A German VAT number of 8 digits with its check digit (ISO 7064, mod 11, 10)."""
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return f"DE{digits}{(11 - product) % 10}"


def spanish_vat(digits: str) -> str:
    """A Spanish VAT number of a limited company: B, 7 digits and their check digit."""
    return f"ESB{luhn(digits)}"


def valid_phone(chance: random.Random, country: str) -> str:
    """A number that the country's numbering plan has, in E.164."""
    while True:
        text = f"+{CALLING[country]}{digits(chance, 10 if country in {'GB', 'US'} else 9)}"
        if phonenumbers.is_valid_number(phonenumbers.parse(text)):
            return text


def postal_code(chance: random.Random, country: str) -> str:
    """A code in the form of the country."""
    if country == "GB":
        area, ending = chance.choice(("LS", "BS", "SE")), chance.choice(("AB", "DE", "TX"))
        return f"{area}{digits(chance, 1)} {digits(chance, 1)}{ending}"
    if country == "NL":
        return f"{digits(chance, 4)} {chance.choice(('AB', 'GK', 'XR'))}"
    if country == "PL":
        return f"{digits(chance, 2)}-{digits(chance, 3)}"
    return digits(chance, {"AT": 4}.get(country, 5))


def lei(prefix: str) -> str:
    """A legal entity identifier of 18 characters with its check digits (ISO 17442, mod 97, 10)."""
    number = int("".join(str(int(char, 36)) for char in f"{prefix}00"))
    return f"{prefix}{98 - number % 97:02d}"


def digits(chance: random.Random, count: int) -> str:
    """Random digits, the first of which is not 0."""
    return str(chance.randint(1, 9)) + "".join(chance.choice(string.digits) for _ in range(count - 1))


COUNTRIES: Mapping[str, tuple[str, str, str, Sequence[str], str]] = {
    "DE": ("de", "GmbH", "de", ("Berlin", "München", "Köln"), "Hauptstraße"),
    "AT": ("de", "GmbH", "at", ("Wien", "Graz", "Linz"), "Ringstraße"),
    "FR": ("fr", "SAS", "fr", ("Paris", "Lyon", "Nantes"), "rue de la Paix"),
    "ES": ("es", "S.L.", "es", ("Madrid", "Sevilla", "Bilbao"), "Calle Mayor"),
    "IT": ("it", "S.r.l.", "it", ("Milano", "Torino", "Bologna"), "Via Roma"),
    "NL": ("nl", "B.V.", "nl", ("Amsterdam", "Utrecht", "Eindhoven"), "Keizersgracht"),
    "SE": ("sv", "AB", "se", ("Stockholm", "Göteborg", "Malmö"), "Storgatan"),
    "PL": ("pl", "sp. z o.o.", "pl", ("Warszawa", "Kraków", "Gdańsk"), "ul. Długa"),
    "GB": ("en", "Ltd", "co.uk", ("London", "Leeds", "Bristol"), "High Street"),
    "US": ("en", "Inc.", "com", ("Austin", "Denver", "Boston"), "Main Street"),
}
CALLING = {"DE": 49, "AT": 43, "FR": 33, "ES": 34, "IT": 39, "NL": 31, "SE": 46, "PL": 48, "GB": 44, "US": 1}
NUMBERS: Mapping[str, Callable[[random.Random], dict[str, str]]] = {
    "DE": lambda chance: {"vat": german_vat(digits(chance, 8)), "register": f"HRB {digits(chance, 5)}"},
    "AT": lambda chance: {"register": f"FN {digits(chance, 6)}a"},
    "FR": lambda chance: {"siren": luhn(digits(chance, 8))},
    "ES": lambda chance: {"vat": spanish_vat(digits(chance, 8)[:7])},
    "IT": lambda chance: {"vat": f"IT{luhn(digits(chance, 10)[:7] + '015')}"},
    "NL": lambda chance: {"register": f"KvK {digits(chance, 8)}"},
    "SE": lambda chance: {"register": luhn(f"55{digits(chance, 7)}")},
    "PL": lambda chance: {"register": f"KRS 0000{digits(chance, 6)}"},
    "GB": lambda chance: {"company_number": digits(chance, 8)},
    "US": lambda chance: {"cik": digits(chance, 7)},
}


def company(chance: random.Random, country: str, place: int) -> DemoCompany:
    """One company."""
    language, form, suffix, cities, street = COUNTRIES[country]
    name = f"{FIRST[place]}{chance.choice(SECOND)}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    identifiers = NUMBERS[country](chance)
    own = random.Random(f"{SEED} {country} {place}")  # noqa: S311  as above
    if place % 4 == 0:
        identifiers["lei"] = lei("".join(chance.choice(string.digits + string.ascii_uppercase) for _ in range(18)))
    house = [street, str(chance.randint(1, 99))]
    return DemoCompany(
        domain=f"{plain}-{country.lower()}.{suffix}",
        name=name,
        legal_name=f"{name} {form}",
        country=country,
        language=language,
        city=chance.choice(cities),
        street=" ".join(reversed(house) if country in {"FR", "GB", "US"} else house),
        postal_code=postal_code(own, country),
        industry=chance.choice(INDUSTRIES),
        founded=chance.randint(1890, 2024),
        employees=chance.choice((3, 12, 48, 120, 650, 4200)),
        phone=valid_phone(own, country),
        identifiers=identifiers,
        technologies=tuple(sorted(chance.sample(TECHNOLOGIES, 3))),
        mail=chance.choice(MAIL),
        markup=MARKUP[place % len(MARKUP)],
        address=f"25.{list(COUNTRIES).index(country) + 1}.0.{place + 1}",
    )


def world_lines() -> list[str]:
    """The lines of the file."""
    chance = random.Random(SEED)  # noqa: S311  as above
    made = [company(chance, country, place) for country in COUNTRIES for place in range(PER_COUNTRY)]
    return [json.dumps(asdict(item), ensure_ascii=False) for item in made]


def main() -> None:
    """Write the file."""
    lines = world_lines()
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {len(lines)} companies")


if __name__ == "__main__":
    main()
