"""Knowledge about mail servers, records, parking and time zones."""

import pytest

from leadflood.kernel.disposable_domains import disposable_provider
from leadflood.kernel.domain_parking import is_parking_host, parking_server
from leadflood.kernel.mail_hosts import mail_provider, provider_of_servers
from leadflood.kernel.mail_records import MailServers, dmarc_policy, mail_servers, spf_includes
from leadflood.kernel.time_zones import time_zone_of_phone, time_zone_of_place
from tests.support.samples import rows


@pytest.mark.samples
def test_providers_are_those_of_the_samples() -> None:
    wrong = []
    for row in rows("dns/mx_providers.jsonl"):
        expected = row["expected"]
        found = mail_provider(row["input"], "example.com")
        if found is None or found.key != expected["provider"] or found.public != expected.get("public", found.public):
            wrong.append((row["input"], found))

    assert wrong == []


def test_the_longest_known_end_of_a_host_counts() -> None:
    gmail, workspace = mail_provider("alt1.gmail-smtp-in.l.google.com"), mail_provider("ASPMX.L.GOOGLE.COM.")

    assert gmail is not None
    assert workspace is not None
    assert (gmail.public, workspace.public) == (True, False)
    assert mail_provider("google.com.evil.example") is None
    assert mail_provider("") is None
    assert mail_provider("mail.acme.co.uk", "acme.co.uk") is not None
    assert mail_provider("mail.other.co.uk", "acme.co.uk") is None
    assert provider_of_servers(["mx.unknown.example", "mx1.mail.ovh.net"], "acme.com") is not None


@pytest.mark.samples
def test_disposable_domains_are_those_of_the_samples() -> None:
    wrong = [
        row["input"]
        for row in rows("lists/disposable_sample.jsonl")
        if (disposable_provider(row["input"]) is not None) != row["expected"]["disposable"]
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("records", "servers"),
    [
        (["20 b.example", "10 a.example."], MailServers(("a.example", "b.example"), refuses=False)),
        (["0 ."], MailServers((), refuses=True)),
        (["0 "], MailServers((), refuses=True)),
        (["x y", "", "10"], MailServers((), refuses=True)),
        ([], MailServers((), refuses=False)),
    ],
)
def test_mail_servers_are_in_their_order(records: list[str], servers: MailServers) -> None:
    assert mail_servers(records) == servers


def test_spf_records_name_their_services() -> None:
    text = (
        "v=spf1 mx include:_spf.google.com ~include:spf.mandrillapp.com a:mail.acme.com/24 "
        "redirect=_spf.acme.com exists:%{i}._spf.mta.example -all"
    )

    assert spf_includes(["google-site-verification=1", text]) == [
        "_spf.google.com", "spf.mandrillapp.com", "mail.acme.com", "_spf.acme.com", "_spf.mta.example",
    ]  # fmt: skip
    assert spf_includes(["v=spf10 include:a.example", "x"]) == []
    assert len(spf_includes(["v=spf1 " + "include:a.example " * 10_000])) == 40


@pytest.mark.parametrize(
    ("texts", "policy"),
    [
        (["v=DMARC1; p=reject; rua=mailto:a@b.example"], "reject"),
        (["v=DMARC1;p=none"], "none"),
        (["V = dmarc1 ; P = Quarantine"], "quarantine"),
        (["v=DMARC1; p=other"], "none"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], None),
        (["spf"], None),
        ([], None),
    ],
)
def test_dmarc_policies(texts: list[str], policy: str | None) -> None:
    assert dmarc_policy(texts) == policy


def test_parking_is_recognized_by_hosts() -> None:
    assert is_parking_host("www.sedoparking.com.")
    assert not is_parking_host("sedoparking.com.acme.com")
    assert parking_server(["ns1.acme.com", "ns1.bodis.com"]) == "ns1.bodis.com"
    assert parking_server(["ns1.dynadot.com"]) is None, "a registrar whose name servers real sites use"


def test_time_zones_of_places_and_phones() -> None:
    assert time_zone_of_place("AT") == "Europe/Vienna"
    assert time_zone_of_place("ES") == "Europe/Madrid"
    assert time_zone_of_place("US") is None
    assert time_zone_of_place("US", "CA") == "America/Los_Angeles"
    assert time_zone_of_place("AU", "nsw") == "Australia/Sydney"
    assert time_zone_of_phone("+12125551234") == "America/New_York"
    assert time_zone_of_phone("+4915123456789") == "Europe/Berlin"
    assert time_zone_of_phone("👩‍💻") is None
