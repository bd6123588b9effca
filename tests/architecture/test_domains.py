"""Every domain declares itself, and `bootstrap` knows all of them."""

from collections import Counter

from leadflood.bootstrap import DOMAINS
from tests.architecture.source import ROOT


def test_every_folder_of_a_domain_is_declared_under_its_name() -> None:
    folders = {path.parent.name for path in (ROOT / "src/leadflood/domains").glob("*/__init__.py")}

    assert Counter(domain.name for domain in DOMAINS) == Counter(folders)
