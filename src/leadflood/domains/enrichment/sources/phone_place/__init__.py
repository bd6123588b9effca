"""Country and time zone of a person, from the phone number."""

from leadflood.domains.enrichment.sources.phone_place.source import PhonePlace

__all__ = ["PhonePlace"]
