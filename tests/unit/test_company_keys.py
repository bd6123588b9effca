"""The domain by which a lead belongs to a company."""

import pytest

from leadflood.domains.companies.models import company_key
from leadflood.kernel.web_address import normalise_website


@pytest.mark.parametrize(
    ("website", "email", "expected"),
    [
        (None, "ada@acme.com", "acme.com"),
        (None, "ada@mail.acme.co.uk", "acme.co.uk"),
        ("https://shop.acme.de/about", "ada@gmail.com", "acme.de"),
        ("https://acme.de", "ada@other.com", "acme.de"),
        ("https://www.linkedin.com/company/acme", "ada@acme.com", "acme.com"),
        ("https://facebook.com/acme", "ada@gmail.com", None),
        ("https://bit.ly/3x", "ada@acme.com", "acme.com"),
        ("https://sedoparking.com/acme.com", "ada@gmx.de", None),
        ("https://acme.github.io", "ada@gmail.com", "acme.github.io"),
        ("https://github.io", "ada@gmail.com", None),
        ("https://bücher.example.org:8443/x?y=1", "ada@gmail.com", "example.org"),
        ("https://müller.de", "ada@gmail.com", "xn--mller-kva.de"),
        (None, "ada@gmail.com", None),
        (None, "ada@eu.mailinator.com", None),
        (None, "ada@gmx.net", None),
        (None, "ada@linkedin.com", "linkedin.com"),
        (None, "ada@co.uk", None),
        (None, "ada@crm.acme.test", "acme.test"),
        (None, "ada@localhost", None),
    ],
)
def test_a_company_is_found_by_the_website_then_by_the_email(
    website: str | None, email: str, expected: str | None
) -> None:
    key = company_key(website=normalise_website(website) if website else None, email_norm=email)

    assert (key and key.domain) == expected
