"""The fields that can be found about a company. A new one is an entry here."""

from typing import Final

from leadflood.domains.enrichment.models import field_kinds as kinds
from leadflood.domains.enrichment.models.fact_fields import FactCatalog, SubjectKind

COMPANY_FIELDS: Final = FactCatalog(SubjectKind.COMPANY)
_add = COMPANY_FIELDS.add

DOMAIN: Final = _add("domain", "Domain", kinds.DOMAIN, days=730)
NAME: Final = _add("name", "Name", kinds.COMPANY_NAME, days=365, fills="company")
LEGAL_NAME: Final = _add("legal_name", "Legal name", kinds.TEXT, days=365)
LEGAL_FORM: Final = _add("legal_form", "Legal form", kinds.TEXT, days=730)
DESCRIPTION: Final = _add("description", "Description", kinds.DESCRIPTION, days=180)
INDUSTRY: Final = _add("industry", "Industry", kinds.TEXT, days=365)
KEYWORD: Final = _add("keyword", "Keywords", kinds.TEXT, days=180, multiple=True)
EMPLOYEES: Final = _add("employees", "Employees", kinds.integer(), days=365)
EMPLOYEE_RANGE: Final = _add("employee_range", "Company size", kinds.TEXT, days=365)
FOUNDED: Final = _add("founded", "Founded", kinds.YEAR, days=3650)
STATUS: Final = _add("status", "Status in the register", kinds.TEXT, days=180)
PARENT: Final = _add("parent", "Parent company", kinds.COMPANY_NAME, days=365)
TICKER: Final = _add("ticker", "Stock ticker", kinds.TEXT, days=365, multiple=True)

WEBSITE: Final = _add("website", "Website", kinds.URL, days=365, fills="website")
REDIRECTS_TO: Final = _add("redirects_to", "Redirects to", kinds.DOMAIN, days=365)
LANGUAGE: Final = _add("language", "Languages", kinds.LANGUAGE, days=365, multiple=True)
LOGO: Final = _add("logo", "Logo", kinds.URL, days=180)
FAVICON: Final = _add("favicon", "Icon", kinds.URL, days=180)
IMAGE: Final = _add("image", "Image", kinds.URL, days=180)
PROFILE: Final = _add("profile", "Social profiles", kinds.URL, days=365, multiple=True)
ABOUT_PAGE: Final = _add("about_page", "About page", kinds.URL, days=180)
LEGAL_PAGE: Final = _add("legal_page", "Legal notice", kinds.URL, days=180)
CONTACT_PAGE: Final = _add("contact_page", "Contact page", kinds.URL, days=180)
PRICING_PAGE: Final = _add("pricing_page", "Pricing page", kinds.URL, days=180)
CAREERS_PAGE: Final = _add("careers_page", "Careers page", kinds.URL, days=180)
PARKED: Final = _add("parked", "Parked domain", kinds.BOOLEAN, days=30)

EMAIL: Final = _add("email", "Email addresses", kinds.EMAIL, days=180, multiple=True)
PHONE: Final = _add("phone", "Phone numbers", kinds.PHONE, days=365, multiple=True, fills="phone")
COUNTRY: Final = _add("country", "Country", kinds.COUNTRY, days=730, fills="country")
REGION: Final = _add("region", "Region", kinds.TEXT, days=730)
CITY: Final = _add("city", "City", kinds.TEXT, days=730)
POSTAL_CODE: Final = _add("postal_code", "Postal code", kinds.TEXT, days=730)
STREET: Final = _add("street", "Street", kinds.TEXT, days=730)
TIME_ZONE: Final = _add("time_zone", "Time zone", kinds.TIME_ZONE, days=730)

VAT_ID: Final = _add("vat_id", "VAT ID", kinds.code(r"[A-Z]{2}[0-9A-Z+*]{2,13}"), days=1825)
LEI: Final = _add("lei", "LEI", kinds.code(r"[0-9A-Z]{18}[0-9]{2}", kinds.is_lei), days=3650)
SIREN: Final = _add("siren", "SIREN", kinds.code(r"[0-9]{9}", kinds.has_luhn_digit), days=3650)
CIK: Final = _add(
    "cik", "CIK", kinds.code(r"0{0,9}[1-9][0-9]{0,9}"), days=3650, compare=lambda value: str(value).lstrip("0")
)
COMPANY_NUMBER: Final = _add("company_number", "UK company number", kinds.code(r"[0-9A-Z]{2}[0-9]{6}"), days=3650)
REGISTER_NUMBER: Final = _add("register_number", "Register number", kinds.TEXT, days=3650)
WIKIDATA: Final = _add("wikidata", "Wikidata", kinds.code(r"Q[1-9][0-9]{0,12}"), days=3650)

TECHNOLOGY: Final = _add("technology", "Technologies", kinds.TEXT, days=90, multiple=True)
SERVICE: Final = _add("service", "Services", kinds.TEXT, days=90, multiple=True)
"""Services that the records of the domain name, such as Atlassian."""
MAIL_PROVIDER: Final = _add("mail_provider", "Mail provider", kinds.TEXT, days=90)
ACCEPTS_MAIL: Final = _add("accepts_mail", "Accepts mail", kinds.BOOLEAN, days=30)
DMARC: Final = _add("dmarc", "DMARC policy", kinds.choice("none", "quarantine", "reject"), days=90)

GROUPS: Final = (
    ("Company", (NAME, LEGAL_NAME, LEGAL_FORM, DESCRIPTION, INDUSTRY, KEYWORD, EMPLOYEES, EMPLOYEE_RANGE, FOUNDED)),
    ("Contact", (EMAIL, PHONE, STREET, POSTAL_CODE, CITY, REGION, COUNTRY, TIME_ZONE)),
    (
        "Web",
        (
            WEBSITE,
            REDIRECTS_TO,
            LANGUAGE,
            PROFILE,
            ABOUT_PAGE,
            CONTACT_PAGE,
            LEGAL_PAGE,
            PRICING_PAGE,
            CAREERS_PAGE,
            PARKED,
        ),
    ),
    ("Technology", (TECHNOLOGY, SERVICE, MAIL_PROVIDER, ACCEPTS_MAIL, DMARC)),
    ("Registers", (STATUS, PARENT, TICKER, VAT_ID, LEI, SIREN, CIK, COMPANY_NUMBER, REGISTER_NUMBER, WIKIDATA)),
    ("Images", (LOGO, FAVICON, IMAGE)),
)
"""The fields as pages show them."""
SUMMARY: Final = (NAME, INDUSTRY, EMPLOYEES, EMPLOYEE_RANGE, CITY, COUNTRY, WEBSITE, PHONE, TECHNOLOGY)
"""The fields that the page of a lead shows of its company."""
