"""Countries as people write them: codes, names in many languages, flags, and two of these together."""

import iso3166
import pytest
from babel import Locale

from leadflood.kernel.country_names import common_countries, country_key, normalise_country
from leadflood.kernel.text import InvalidValue
from scripts.generate_country_names import LANGUAGES, TARGET, country_names


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("de", "DE"),
        ("DEU", "DE"),
        ("276", "DE"),
        (" germany ", "DE"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("United Kingdom", "GB"),
        ("USA", "US"),
        ("The United States of America", "US"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Czech Republic", "CZ"),
        ("Cote d'Ivoire", "CI"),
        ("Côte d\u2019Ivoire", "CI"),
        ("Turkey", "TR"),
        ("türkiye", "TR"),
        ("Trinidad & Tobago", "TT"),
        ("St. Lucia", "LC"),
        ("Kosovo", "XK"),
    ],
)
def test_a_country_is_known_by_code_name_and_common_variant(named: str, code: str) -> None:
    assert normalise_country(named) == code


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("Hongkong", "HK"), ("HONGKONG", "HK"), ("Hong-Kong", "HK"), ("Hong Kong, China", "HK"), ("Costarica", "CR"),
        ("Czech Rep.", "CZ"), ("Tschechische Rep.", "CZ"), ("Rep. Tch\u00e8que", "CZ"), ("Slovak Rep.", "SK"),
        ("Dominican Rep.", "DO"), ("Dom. Rep.", "DO"), ("Rep. of Korea", "KR"), ("Korea (South)", "KR"),
        ("S. Korea", "KR"), ("Congo, Dem. Rep.", "CD"), ("China, People's Republic of", "CN"), ("VR China", "CN"),
        ("Oesterreich", "AT"), ("Tuerkei", "TR"), ("Suedafrika", "ZA"), ("Daenemark", "DK"), ("V.A.E.", "AE"),
        ("N. Ireland", "GB"), ("Mazedonien", "MK"), ("Elfenbeink\u00fcste", "CI"), ("Trinidad", "TT"),
    ],
)  # fmt: skip
def test_everyday_spellings_of_a_country_are_known(named: str, code: str) -> None:
    assert normalise_country(named) == code


@pytest.mark.parametrize(
    "named",
    [
        "",
        "Narnia",
        "Korea",
        "ZZ",
        "Z",
        "\x00",
        "." * 50,
        "DE or AT",
        "DE / AT",
        "\U0001f600",
        "Corea",
        "Bayern",
        "German",
        "\u010cR",
    ],
)
def test_an_unknown_country_is_refused(named: str) -> None:
    with pytest.raises(InvalidValue):
        normalise_country(named)


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("Deutschland", "DE"), ("Bundesrepublik Deutschland", "DE"), ("BRD", "DE"), ("GER", "DE"), ("D", "DE"),
        ("Allemagne", "DE"), ("Alemania", "DE"), ("Германия", "DE"), ("德国", "DE"), ("ドイツ", "DE"),
        ("España", "ES"), ("ESPANA", "ES"), ("italia", "IT"), ("Brasil", "BR"), ("México", "MX"), ("Méjico", "MX"),
        ("Schweiz", "CH"), ("Suisse", "CH"), ("Svizzera", "CH"), ("Svizra", "CH"), ("SUI", "CH"),
        ("ÖSTERREICH", "AT"), ("A", "AT"), ("Türkiye", "TR"), ("TÜRKİYE", "TR"), ("Sverige", "SE"), ("Ísland", "IS"),
        ("Ελλάδα", "GR"), ("Россия", "RU"), ("Україна", "UA"), ("България", "BG"), ("日本", "JP"), ("中国", "CN"),
        ("中华人民共和国", "CN"), ("대한민국", "KR"), ("한국", "KR"), ("ประเทศไทย", "TH"), ("ไทย", "TH"),
        ("Việt Nam", "VN"),
        ("भारत", "IN"), ("ישראל", "IL"), ("المملكة العربية السعودية", "SA"), ("مصر", "EG"), ("ایران", "IR"),
        ("Éire", "IE"), ("Suomi", "FI"), ("Eesti", "EE"), ("Lietuva", "LT"), ("Latvija", "LV"), ("Česko", "CZ"),
        ("Česká republika", "CZ"), ("Magyarország", "HU"), ("Polska", "PL"), ("România", "RO"), ("Hrvatska", "HR"),
        ("Srbija", "RS"), ("Србија", "RS"), ("Shqipëria", "AL"), ("Malta", "MT"), ("Sakartvelo", "GE"),
        ("საქართველო", "GE"), ("Հայաստան", "AM"), ("Azərbaycan", "AZ"), ("Қазақстан", "KZ"), ("Oʻzbekiston", "UZ"),
        ("Indonesia", "ID"), ("Pilipinas", "PH"), ("Bharat", "IN"), ("المغرب", "MA"),
        ("EE.UU.", "US"), ("Vereinigte Staaten", "US"), ("Vereinigte Staaten von Amerika", "US"), ("США", "US"),
        ("États-Unis", "US"), ("Stati Uniti", "US"), ("ABD", "US"), ("アメリカ", "US"), ("U.S.", "US"),
        ("u.s.a.", "US"),
        ("Großbritannien", "GB"), ("Grande-Bretagne", "GB"), ("Reino Unido", "GB"), ("Holland", "NL"),
        ("Nederland", "NL"), ("België", "BE"), ("Belgique", "BE"), ("Belgien", "BE"), ("Danmark", "DK"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_name_in_its_own_and_in_common_languages(named: str, code: str) -> None:
    assert normalise_country(named) == code


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("Germany (DE)", "DE"),
        ("DE - Germany", "DE"),
        ("Deutschland / Germany", "DE"),
        ("[AT] Österreich", "AT"),
        ("US, United States", "US"),
        ("\U0001f1e9\U0001f1ea", "DE"),
        ("\U0001f1eb\U0001f1f7 France", "FR"),
        ("Korea, Republic of", "KR"),
    ],
)
def test_two_names_of_one_country_name_it(named: str, code: str) -> None:
    assert normalise_country(named) == code


def test_every_country_is_known_in_all_the_languages_unless_two_share_the_name() -> None:
    known = {country.alpha2 for country in iso3166.countries}
    names = [(language, *each) for language in LANGUAGES for each in Locale.parse(language).territories.items()]
    wrong = {(language, code) for language, code, name in names if code in known and named(name) != code}

    assert wrong == {("nb", "CD"), ("pl", "CG"), ("vi", "AT"), ("vi", "BE"), ("vi", "RU")}


def named(name: str) -> str | None:
    try:
        return normalise_country(name)
    except InvalidValue:
        return None


def test_no_name_means_two_countries() -> None:
    seen: dict[str, str] = {}
    for line in (TARGET.parent / "country_variants.txt").read_text(encoding="utf-8").splitlines():
        for name in line[3:].split("|"):
            key = country_key(name)
            assert key, line
            assert seen.setdefault(key, line[:2]) == line[:2], key
            assert common_countries()[key] == line[:2], key


def test_a_country_that_nobody_knows_is_quoted() -> None:
    with pytest.raises(InvalidValue, match=r"^\"Deutschlnd\" isn't a recognized country\.$"):
        normalise_country("Deutschlnd")


def test_the_names_of_countries_are_those_of_the_locked_babel() -> None:
    assert TARGET.read_text(encoding="utf-8") == country_names(), "run scripts/generate_country_names.py"
