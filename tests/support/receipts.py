"""Receipts of found values as a salesperson reads them."""

import re
from typing import Final

from leadflood.domains.enrichment.models.methods import METHODS

ENGINE_WORDS: Final = re.compile(
    r"\b(?:JSON|JSON-LD|microdata|Open Graph|[Mm]eta|HTML|HTTP|URL|DNS|MX|TXT|SPF|NS|DMARC|API|LEI|CIK|None|null"
    r"|[Ss]tatus|[Ll]ocal part|[Pp]ublic suffix|[Rr]egex|[Pp]arsed?|[Cc]anonical|[Nn]ormali[sz]ed|[Dd]ecoded)\b"
    r"|[a-z]_[a-z]|[{}<>]"
)
"""Words that only developers know, and names of code."""
_VALUES: Final = re.compile(r"'[^']*'|“[^”]*”|[^\s()]+[.@][^\s()]+")
"""Quotes, domains and addresses: they are of the lead."""


def require_plain(method: str, evidence: str) -> None:
    """Require that a receipt has a method with a label, and that its evidence is a sentence without engine words."""
    assert method in METHODS, f"{method!r} has no label: add one to models/methods.py."
    assert evidence.endswith((".", "?")), evidence
    assert ENGINE_WORDS.search(_VALUES.sub("", evidence)) is None, evidence
