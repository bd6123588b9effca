"""Types of a lead's values in contracts: JSON strings, with the rule that parses each."""

from typing import Annotated
from uuid import UUID

from pydantic import Strict

from leadflood.domains.leads.models import normalise_source
from leadflood.domains.stages.models import MAX_NAME as MAX_STAGE
from leadflood.domains.stages.models import stage_key
from leadflood.kernel.country_names import MAX_COUNTRY_LENGTH, normalise_country
from leadflood.kernel.email_address import MAX_EMAIL_OCTETS, EmailAddress, parse_email
from leadflood.kernel.phone_number import MAX_PHONE_LENGTH
from leadflood.kernel.text import FromText, line
from leadflood.kernel.web_address import MAX_URL_LENGTH, normalise_website

MAX_NAME = 200

Name = Annotated[str, line(MAX_NAME)]
Email = Annotated[EmailAddress, FromText(parse_email, {"format": "email", "maxLength": MAX_EMAIL_OCTETS})]
Phone = Annotated[str, line(MAX_PHONE_LENGTH)]
"""A number as given. What is stored depends on its country."""
Website = Annotated[str, FromText(normalise_website, {"minLength": 1, "maxLength": MAX_URL_LENGTH})]
Country = Annotated[str, FromText(normalise_country, {"minLength": 1, "maxLength": MAX_COUNTRY_LENGTH})]
Source = Annotated[str, FromText(normalise_source, {"minLength": 1, "maxLength": 200})]
StageKey = Annotated[str, FromText(stage_key, {"minLength": 1, "maxLength": MAX_STAGE})]
"""The key or the name of a stage. Which ones there are depends on the workspace."""
OwnerId = Annotated[UUID, Strict(strict=False)]
