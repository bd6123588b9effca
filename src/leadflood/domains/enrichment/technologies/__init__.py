"""Technologies of websites and mail domains, recognized by literal signs that are looked up, never scanned for."""

from leadflood.domains.enrichment.technologies.detection import (
    DetectedTechnology,
    PageSigns,
    technologies_of_domain,
    technologies_of_page,
)
from leadflood.domains.enrichment.technologies.signs import SignIndex, Technology, load_technologies, technology_index

__all__ = [
    "DetectedTechnology",
    "PageSigns",
    "SignIndex",
    "Technology",
    "load_technologies",
    "technologies_of_domain",
    "technologies_of_page",
    "technology_index",
]
