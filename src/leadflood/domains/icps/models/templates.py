"""Profiles to begin with, for four kinds of business."""

from functools import cache
from importlib.resources import files
from typing import Final

TEMPLATES: Final = {
    "b2b_saas": "Software for companies",
    "agencies": "Agencies",
    "manufacturers": "Manufacturers",
    "local_services": "Local services",
}
"""Labels by name."""


@cache
def template_text(name: str) -> str:
    """The file of a template. Raises: KeyError: there is no such template."""
    if name not in TEMPLATES:
        raise KeyError(name)
    return files("leadflood.domains.icps").joinpath(f"data/{name}.yaml").read_text("utf-8")
