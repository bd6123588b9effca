"""Capitalization of job titles that the provider returns in lower case."""

import re
from typing import Final

_WORD: Final = re.compile(r"[^\s/,;:|()\u2010-\u2015-]+")
_LINKS: Final = (
    "a an and as at by for from in of on or per the to via with "
    "da das de del della der des di do du e el en et für im la le les of och og und van von y zu"
)
"""Words of several languages that stay small, unless they come first."""
_POSITIONS: Final = (
    "AE AVP BDR CAO CBO CCO CDO CEO CFO CHRO CIO CISO CLO CMO COO CPO CRO CSM CSO CTO EA EVP GM HRBP KAM PA SDR SVP VP"
)
_AREAS: Final = (
    "AI API AR B2B B2C BI BPO CAD CD CI CNC CRM CSR DBA DevOps DevSecOps EHS ERP ESG FinTech FP&A GIS GTM HR HRIS HSE "
    "HVAC iOS IoT IP IR IT KYC L&D M&A ML MLOps MRO NLP OEM P&L PLC PMO POS PPC PR QA QC R&D RevOps RF SaaS SAP SEM "
    "SEO SQL SRE TV UI UX VFX VoIP VR"
)
_TOOLS_AND_DEGREES: Final = (
    ".NET AWS C# C++ CFA CPA GCP JavaScript MBA MD NetSuite PhD PHP PMP SharePoint TypeScript WordPress"
)
_REGIONS_AND_NUMBERS: Final = "APAC APJ DACH EMEA EU LATAM MENA UAE UK US USA II III IV"
_SMALL: Final = frozenset(_LINKS.split())
_SPELLED: Final = {
    word.lower(): word
    for words in (_POSITIONS, _AREAS, _TOOLS_AND_DEGREES, _REGIONS_AND_NUMBERS)
    for word in words.split()
}


def spelled_title(title: str) -> str:
    """A title in the usual capitals. One that has any capital, or no letters with capitals, is left as it is."""
    return _WORD.sub(_spelled, title) if title.islower() else title


def _spelled(found: re.Match[str]) -> str:
    word = found[0]
    core = word.rstrip(".'\u2019\"!?")
    known = _SPELLED.get(core)
    if known is not None:
        return known + word[len(core) :]
    alone = len(word) > 1 or found.string[found.end() : found.end() + 1].isspace()  # which the e of e-commerce is not
    if word in _SMALL and alone and found.start() > 0:
        return word
    place = next((place for place, char in enumerate(word) if char.isalpha()), 0)
    return word[:place] + word[place].upper() + word[place + 1 :]
