"""Organizations that a page describes in structured data, and which of them owns the site."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from leadflood.domains.enrichment.sources.website.data_values import (
    count_of,
    text_of,
    texts_of,
    url_of,
    urls_of,
    year_of,
)
from leadflood.domains.enrichment.sources.website.page import (
    MarkupItem,
    PageFact,
    PageField,
    WebPage,
    domain_of,
    quote_of,
)

ORGANIZATIONS: Final = frozenset({
    "Organization", "Airline", "Consortium", "Cooperative", "Corporation", "EducationalOrganization",
    "CollegeOrUniversity", "School", "FundingScheme", "GovernmentOrganization", "LibrarySystem", "LocalBusiness",
    "MedicalOrganization", "NGO", "NewsMediaOrganization", "OnlineBusiness", "OnlineStore", "OnlineMarketplace",
    "PerformingGroup", "PoliticalParty", "Project", "ResearchOrganization", "SearchRescueOrganization",
    "SportsOrganization", "SportsTeam", "WorkersUnion", "AnimalShelter", "ArchiveOrganization", "AutomotiveBusiness",
    "AutoDealer", "AutoRepair", "AutoRental", "ChildCare", "Dentist", "DryCleaningOrLaundry", "EmergencyService",
    "EmploymentAgency", "EntertainmentBusiness", "FinancialService", "AccountingService", "BankOrCreditUnion",
    "InsuranceAgency", "FoodEstablishment", "Bakery", "BarOrPub", "Brewery", "CafeOrCoffeeShop", "Restaurant",
    "Winery", "GovernmentOffice", "HealthAndBeautyBusiness", "BeautySalon", "HairSalon", "DaySpa",
    "HomeAndConstructionBusiness", "Electrician", "GeneralContractor", "HVACBusiness", "HousePainter", "Locksmith",
    "MovingCompany", "Plumber", "RoofingContractor", "InternetCafe", "LegalService", "Attorney", "Notary", "Library",
    "LodgingBusiness", "Hotel", "Hostel", "Motel", "Resort", "BedAndBreakfast", "MedicalBusiness", "MedicalClinic",
    "Optician", "Pharmacy", "Physician", "Hospital", "ProfessionalService", "RadioStation", "RealEstateAgent",
    "RecyclingCenter", "SelfStorage", "ShoppingCenter", "SportsActivityLocation", "TelevisionStation",
    "TouristInformationCenter", "TravelAgency", "Store", "BikeStore", "BookStore", "ClothingStore", "ComputerStore",
    "ConvenienceStore", "DepartmentStore", "ElectronicsStore", "Florist", "FurnitureStore", "GardenStore",
    "GroceryStore", "HardwareStore", "HobbyShop", "HomeGoodsStore", "JewelryStore", "LiquorStore",
    "MensClothingStore", "MobilePhoneStore", "MovieRentalStore", "MusicStore", "OfficeEquipmentStore", "OutletStore",
    "PawnShop", "PetStore", "ShoeStore", "SportingGoodsStore", "TireShop", "ToyStore", "WholesaleStore",
    "VeterinaryCare",
})  # fmt: skip
"""Types of schema.org that are organizations."""
_GENERAL: Final = frozenset({"Organization", "Corporation", "LocalBusiness", "Project", "Consortium", "Store"})
"""Types that say nothing about the industry."""
_TEXTS: Final = (
    ("legalName", PageField.LEGAL_NAME, 1.0),
    ("description", PageField.DESCRIPTION, 0.95),
    ("vatID", PageField.VAT_ID, 1.0),
    ("leiCode", PageField.LEI, 1.0),
    ("taxID", PageField.TAX_ID, 1.0),
)
"""Properties with one text: the field, and how sure it is beside the organization itself."""
_CAPITALS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class DescribedOrganization:
    """An organization that a page describes.

    Attributes:
        name: its name.
        url: its website, None if not stated.
        logo: address of its logo, None if not stated.
        telephone: as written, None if not stated.
        same_as: addresses of its profiles.
        types: its types.
        method: the kind of markup.
        data: the whole object.
    """

    name: str
    url: str | None
    logo: str | None
    telephone: str | None
    same_as: tuple[str, ...]
    types: frozenset[str]
    method: str
    data: Mapping[str, Any] = field(default_factory=dict)


def organizations_in(page: WebPage) -> list[DescribedOrganization]:
    """The organizations of a page. Objects with the same name and markup are one: the values of all of them count."""
    found: dict[tuple[str, str], DescribedOrganization] = {}
    for item in page.items:
        if not item.types & ORGANIZATIONS or not (name := text_of(item.data.get("name"))):
            continue
        one = _described(page, item, name)
        key = name.casefold(), item.method
        found[key] = _together(found[key], one) if key in found else one
    return list(found.values())


def owner_of(page: WebPage, organizations: list[DescribedOrganization]) -> tuple[DescribedOrganization, float] | None:
    """The organization that the site belongs to, with the confidence that it does.

    One whose address or own ID lies on the site's domain; else, the only one of the page.
    """
    for one in organizations:
        addresses = [one.url, *(str(one.data.get(key) or "") for key in ("@id", "mainEntityOfPage"))]
        if any(address and domain_of(page.absolute(address) or "") == page.domain for address in addresses):
            return one, 0.92
    local = [one for one in organizations if one.url is None]
    if len(organizations) == 1 and local:
        return local[0], 0.75
    return None


def facts_of(one: DescribedOrganization, confidence: float) -> Iterator[PageFact]:
    """Everything that the page states about an organization, but for addresses, phones and email addresses."""

    def fact(kind: PageField, value: str | int, quote: str, weight: float) -> PageFact:
        return PageFact(kind, value, round(confidence * weight, 2), one.method, quote_of(quote))

    yield fact(PageField.COMPANY_NAME, one.name, one.name, 1.0)
    if one.logo:
        yield fact(PageField.LOGO, one.logo, url_of(one.data.get("logo")) or one.logo, 1.0)
    for key, kind, weight in _TEXTS:
        for text in islice(texts_of(one.data.get(key)), 1):
            yield fact(kind, text, text, weight)
    if year := year_of(one.data.get("foundingDate")):
        yield fact(PageField.FOUNDED, year, text_of(one.data.get("foundingDate")) or str(year), 1.0)
    if people := count_of(one.data.get("numberOfEmployees")):
        yield fact(PageField.EMPLOYEES, people, str(people), 0.9)
    for text in _industries(one):
        yield fact(PageField.INDUSTRY, text, text, 0.8)
    for word in _keywords_of(one):
        yield fact(PageField.KEYWORDS, word, word, 0.8)


def _keywords_of(one: DescribedOrganization) -> Iterator[str]:
    for key in ("keywords", "knowsAbout"):
        for text in texts_of(one.data.get(key)):
            words = (word.strip() for word in text.split(",")[:20])
            yield from (word for word in words if 1 < len(word) <= 60)  # noqa: PLR2004  longer ones are sentences


def _industries(one: DescribedOrganization) -> Iterator[str]:
    yield from texts_of(one.data.get("industry"))
    for name in sorted(one.types & ORGANIZATIONS - _GENERAL):
        yield _CAPITALS.sub(" ", name).capitalize()


def _described(page: WebPage, item: MarkupItem, name: str) -> DescribedOrganization:
    data = item.data
    logo = url_of(data.get("logo")) or url_of(data.get("image"))
    url = url_of(data.get("url"))
    return DescribedOrganization(
        name=name,
        url=url,
        logo=page.absolute(logo) if logo else None,
        telephone=text_of(data.get("telephone")),
        same_as=tuple(dict.fromkeys(urls_of(data.get("sameAs")))),
        types=item.types,
        method=item.method,
        data=data,
    )


def _together(one: DescribedOrganization, other: DescribedOrganization) -> DescribedOrganization:
    return DescribedOrganization(
        name=one.name,
        url=one.url or other.url,
        logo=one.logo or other.logo,
        telephone=one.telephone or other.telephone,
        same_as=tuple(dict.fromkeys([*one.same_as, *other.same_as])),
        types=one.types | other.types,
        method=one.method,
        data={**other.data, **one.data},
    )
