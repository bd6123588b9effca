"""What people call the fields of a lead: the one place that pages, files and timelines take the words from."""

from typing import Final

CUSTOM: Final = "customFields"

FIELDS: Final = {
    "email": "Email",
    "firstName": "First name",
    "lastName": "Last name",
    "company": "Company",
    "jobTitle": "Job title",
    "phone": "Phone",
    "country": "Country",
    "website": "Website",
    "ownerId": "Owner",
    "source": "Source",
}
"""By the names of the API, in the order in which people read them."""
