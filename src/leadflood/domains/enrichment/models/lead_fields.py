"""The fields that can be found about a lead, which is a person. A new one is an entry here."""

from typing import Final

from leadflood.domains.enrichment.models import field_kinds as kinds
from leadflood.domains.enrichment.models.fact_fields import FactCatalog, SubjectKind

PERSON_FIELDS: Final = FactCatalog(SubjectKind.LEAD)
_add = PERSON_FIELDS.add

EMAIL: Final = _add("email", "Email", kinds.EMAIL, days=365)
FIRST_NAME: Final = _add("first_name", "First name", kinds.TEXT, days=1825, fills="first_name")
LAST_NAME: Final = _add("last_name", "Last name", kinds.TEXT, days=1825, fills="last_name")
JOB_TITLE: Final = _add("job_title", "Job title", kinds.TEXT, days=365, fills="job_title")
SENIORITY: Final = _add("seniority", "Seniority", kinds.TEXT, days=365)
JOB_FUNCTION: Final = _add("job_function", "Function", kinds.TEXT, days=365)
PHONE: Final = _add("phone", "Phone", kinds.PHONE, days=365, fills="phone")
COUNTRY: Final = _add("country", "Country", kinds.COUNTRY, days=730, fills="country")
TIME_ZONE: Final = _add("time_zone", "Time zone", kinds.TIME_ZONE, days=730)
COMPANY_NAME: Final = _add("company_name", "Company", kinds.COMPANY_NAME, days=365, fills="company")
COMPANY_DOMAIN: Final = _add("company_domain", "Company domain", kinds.DOMAIN, days=365)
"""The registrable domain of the employer (eTLD+1), as an A-label in lower case."""

CANONICAL_EMAIL: Final = _add("canonical_email", "Mailbox", kinds.TEXT, days=1825)
"""Canonical spelling for all addresses of the same mailbox; for comparison, never for sending."""
LIKELY_TYPO_OF: Final = _add("likely_typo_of", "Probably meant", kinds.TEXT, days=1825)
"""The whole address that was probably meant."""
IS_FREE_MAIL: Final = _add("is_free_mail", "Free mail", kinds.BOOLEAN, days=1825)
IS_DISPOSABLE: Final = _add("is_disposable", "Disposable", kinds.BOOLEAN, days=365)
IS_ROLE_ADDRESS: Final = _add("is_role_address", "Role address", kinds.BOOLEAN, days=1825)
EMAIL_STATUS: Final = _add("email_status", "Email check", kinds.choice("valid", "invalid", "risky", "unknown"), days=30)

EXPORTED: Final = tuple(field.name for field in PERSON_FIELDS if field not in (EMAIL, JOB_TITLE, PHONE, COUNTRY))
"""Names of the fields that exports offer. The others are columns of the lead itself."""
