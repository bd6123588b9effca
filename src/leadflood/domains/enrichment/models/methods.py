"""Methods of receipts, as people call them.

A receipt has the stable name of its method. The pages show only the labels of this list, never a name, so each method
of a source needs an entry; `tests/support/receipts.py` requires it of every fact that a test sees.
"""

from collections.abc import Mapping
from typing import Final

_ON_THE_PAGE: Final = "Written on the page"
_NUMBER_ON_THE_PAGE: Final = "Number written on the page"
_SETTINGS: Final = "Settings of the domain"
_MAIL_SERVERS: Final = "Mail servers of the domain"
_PARTS_OF_THE_SITE: Final = "Parts of the website"
_FOR_SEARCH_ENGINES: Final = "Details for search engines"

METHODS: Final[Mapping[str, str]] = {
    # an email address
    "mailbox_rules": "Inbox rules",
    "provider_list": "List of email providers",
    "disposable_list": "List of disposable mailboxes",
    "disposable_mx": _MAIL_SERVERS,
    "role_words": "Words in the address",
    "role": "Words in the address",
    "domain_distance": "Comparison with known domains",
    "typo": "Comparison with known domains",
    "public_suffix_list": "Domain of the address",
    "domain_label": "Domain of the address",
    "local_part_pattern": "Words in the address",
    "given_name_list": "List of first names",
    "known_name": "Comparison with the known name",
    "syntax": "Form of the address",
    # a domain
    "domain": "Lookup of the domain",
    "dns": _SETTINGS,
    "dmarc": _SETTINGS,
    "dns_txt": _SETTINGS,
    "dns_spf": _SETTINGS,
    "dns_ns": _SETTINGS,
    "dns_implied": _SETTINGS,
    "dns_mx": _MAIL_SERVERS,
    "mx": _MAIL_SERVERS,
    "null_mx": _MAIL_SERVERS,
    "no_mx": _MAIL_SERVERS,
    "parked": "Signs that the domain is not in use",
    "parking": "Signs that the domain is not in use",
    # a website
    "answer": "Visit of the website",
    "redirect": "Visit of the website",
    "redirect_named": "Visit of the website",
    "redirect_same_name": "Visit of the website",
    "language_model": "Read by a language model",
    "json_ld": _FOR_SEARCH_ENGINES,
    "microdata": _FOR_SEARCH_ENGINES,
    "meta": _FOR_SEARCH_ENGINES,
    "opengraph": "Preview for social networks",
    "title": "Title of the page",
    "heading": "Heading of the page",
    "link": "Link on the page",
    "mailto_link": "Email link on the page",
    "tel_link": "Phone link on the page",
    "visible_text": _ON_THE_PAGE,
    "spelled_email": _ON_THE_PAGE,
    "protected_email": _ON_THE_PAGE,
    "postal_address": "Address on the page",
    "copyright": "Copyright notice",
    "imprint": "Legal notice",
    "sentence": "Sentence on the page",
    "vat_id": _NUMBER_ON_THE_PAGE,
    "lei": _NUMBER_ON_THE_PAGE,
    "siren": _NUMBER_ON_THE_PAGE,
    "siret": _NUMBER_ON_THE_PAGE,
    "cik": _NUMBER_ON_THE_PAGE,
    "wrong_check_digit": _NUMBER_ON_THE_PAGE,
    "register_number": _NUMBER_ON_THE_PAGE,
    "company_number": _NUMBER_ON_THE_PAGE,
    "vat_country": "Country of the VAT number",
    "domain_suffix": "Ending of the domain",
    "phone_code": "Country of the phone number",
    "html_lang": "Language of the page",
    "language": "Language of the page",
    "language_region": "Language of the page",
    "logo_image": "Logo on the page",
    "technology_hosts": _PARTS_OF_THE_SITE,
    "technology_inline": _PARTS_OF_THE_SITE,
    "technology_files": _PARTS_OF_THE_SITE,
    "technology_segments": _PARTS_OF_THE_SITE,
    "technology_headers": _PARTS_OF_THE_SITE,
    "technology_cookies": _PARTS_OF_THE_SITE,
    "technology_generator": _PARTS_OF_THE_SITE,
    "technology_metas": _PARTS_OF_THE_SITE,
    "technology_ids": _PARTS_OF_THE_SITE,
    "technology_attributes": _PARTS_OF_THE_SITE,
    "technology_implied": _PARTS_OF_THE_SITE,
    # registers, providers, places, titles and people
    "register": "Entry in a public register",
    "provider": "Record of the provider",
    "calling_code": "Country of the phone number",
    "area_code": "Area code of the phone number",
    "country": "Country and region",
    "title_words": "Words in the job title",
    "simulated": "Test data",
    "manual": "Entered by a person",
}
"""Labels by name."""

UNKNOWN_METHOD: Final = "Another way"
"""The label of a method of another release."""
