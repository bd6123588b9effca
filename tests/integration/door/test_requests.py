"""Every fault of a server ends in the right error, in time, with a sentence for users."""

import asyncio

import pytest

from leadflood.demo.internet.internet import Internet
from leadflood.kernel.door import features
from leadflood.kernel.door.door import Door
from leadflood.kernel.door.errors import (
    BrokenResponse,
    CertificateRejected,
    ConnectFailed,
    DoorError,
    LookupFailed,
    NameNotFound,
    TargetRefused,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    UnexpectedContent,
)
from leadflood.kernel.door.features import Feature
from leadflood.kernel.door.resolver import RecordType

D = "faults.example"


async def failure(door: Door, url: str, feature: Feature = Feature.WEBSITE, seconds: float = 5) -> DoorError:
    with pytest.raises(DoorError) as caught:
        await door.request(feature, "GET", url, seconds=seconds)
    assert caught.value.sentence.endswith(".")
    return caught.value


async def test_a_page_is_read_over_tls_and_its_connection_is_kept(door: Door, internet: Internet) -> None:
    first = await door.request(Feature.WEBSITE, "GET", f"https://good.{D}/a?b=1")
    second = await door.request(Feature.WEBSITE, "GET", f"https://good.{D}/c")

    assert (first.status, first.url, first.text[:15]) == (200, f"https://good.{D}/a?b=1", "<!doctype html>")
    assert second.ok
    assert len(internet.dialer.dialed) == 1
    (sent, _) = internet.http.received
    assert sent.headers["host"] == f"good.{D}"
    assert sent.headers["accept-encoding"] == "gzip, deflate"
    assert sent.headers["user-agent"].startswith("LeadFlood/")
    assert not {"cookie", "authorization"} & set(sent.headers)


async def test_a_connection_of_one_feature_serves_no_other(door: Door, internet: Internet) -> None:
    await door.request(Feature.WEBSITE, "GET", f"https://good.{D}/")
    await door.request(Feature.WEBHOOK, "GET", f"https://good.{D}/")

    assert len(internet.dialer.dialed) == 2


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("close", BrokenResponse),
        ("no-http", BrokenResponse),
        ("large-headers", TooLarge),
        ("endless-headers", BrokenResponse),
        ("broken-gzip", BrokenResponse),
        ("unknown-encoding", UnexpectedContent),
        ("wrong-length", BrokenResponse),
        ("file", UnexpectedContent),
        ("thirty-redirects", TooManyRedirects),
        ("closed", ConnectFailed),
        ("servfail", LookupFailed),
        ("refused", LookupFailed),
        ("cname-loop", LookupFailed),
        ("no-such-name", NameNotFound),
        ("no-address", NameNotFound),
    ],
)
async def test_a_fault_has_its_error(door: Door, host: str, error: type[DoorError]) -> None:
    found = await failure(door, f"http://{host}.{D}/")

    assert type(found) is error
    assert f"{host}.{D}" in found.sentence or host == "closed"


@pytest.mark.parametrize("host", ["hang", "hang-after-headers", "slow-headers", "silent"])
async def test_a_server_that_takes_its_time_is_left(door: Door, host: str) -> None:
    assert isinstance(await failure(door, f"http://{host}.{D}/", seconds=0.5), TimedOut)


async def test_a_body_that_decompresses_to_nothing_is_cut(door: Door) -> None:
    reply = await door.request(Feature.WEBSITE, "GET", f"http://endless-nothing.{D}/")

    assert (reply.cut, reply.body) == (True, b"")


async def test_redirects_in_a_circle_end(door: Door) -> None:
    assert "circle" in (await failure(door, f"http://redirect-loop.{D}/a")).sentence


@pytest.mark.parametrize("host", ["gzip-bomb", "deflate-bomb", "endless-body", "long-script"])
async def test_a_body_without_end_is_cut_or_refused(door: Door, host: str) -> None:
    reply = await door.request(Feature.WEBSITE, "GET", f"http://{host}.{D}/")

    assert reply.cut
    assert len(reply.body) == features.LIMITS[Feature.WEBSITE].bytes
    refused = await failure(door, f"https://{host}.{D}/", Feature.LOGO)
    assert isinstance(refused, TooLarge | UnexpectedContent)


@pytest.mark.parametrize(
    ("host", "why", "words"),
    [
        ("expired-certificate", "expired", " expired on "),
        ("wrong-name-certificate", "wrong_name", "another domain"),
        ("self-signed-certificate", "not_trusted", "not from a trusted authority"),
    ],
)
async def test_a_certificate_that_is_not_valid_is_an_answer(
    door: Door, internet: Internet, host: str, why: str, words: str
) -> None:
    found = await failure(door, f"https://{host}.{D}/")

    assert isinstance(found, CertificateRejected)
    assert found.why == why
    assert words in found.sentence
    assert internet.http.received == []


@pytest.mark.parametrize(("host", "status"), [("unavailable", 503), ("rate-limited", 429)])
async def test_an_error_of_the_server_is_an_answer(door: Door, host: str, status: int) -> None:
    assert (await door.request(Feature.WEBSITE, "GET", f"http://{host}.{D}/")).status == status


async def test_a_wrong_charset_is_noticed(door: Door) -> None:
    assert "Müller & Söhne" in (await door.request(Feature.WEBSITE, "GET", f"http://wrong-charset.{D}/")).text


async def test_a_web_page_in_place_of_data_is_refused(door: Door) -> None:
    found = await failure(door, f"https://html-for-json.{D}/", Feature.REGISTER)

    assert isinstance(found, UnexpectedContent)
    assert "a web page instead of data" in found.sentence


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_credentials_and_bodies_do_not_follow_to_another_host(
    door: Door, internet: Internet, status: int
) -> None:
    for target, kept in ((f"https://good.{D}/x", False), ("/x", True)):
        internet.http.received.clear()
        url = f"https://redirect-to.{D}/?to={target}&status={status}"
        with pytest.raises(UnexpectedContent):  # a page in place of data
            await door.request(Feature.REGISTER, "GET", url, headers={"Authorization": "Bearer x", "X-Other": "1"})
        following = internet.http.received[1]
        assert ("authorization" in following.headers) is kept
        assert following.headers["x-other"] == "1"


async def test_a_change_is_not_redirected(door: Door, internet: Internet) -> None:
    url = f"https://redirect-to.{D}/?to=https://good.{D}/"

    reply = await door.request(Feature.WEBHOOK, "POST", url, content=b"{}")

    assert reply.status == 302
    assert [item.method for item in internet.http.received] == ["POST"]


async def test_the_addresses_of_a_half_closed_host_are_tried_in_turn(door: Door, internet: Internet) -> None:
    assert (await door.request(Feature.WEBSITE, "GET", f"http://half-closed.{D}/")).ok
    assert len(internet.dialer.dialed) == 2


async def test_records_are_looked_up_over_tcp_where_they_are_many(door: Door) -> None:
    texts = await door.lookup(f"many-texts.{D}", RecordType.TXT)
    alias = await door.lookup(f"alias.{D}", RecordType.A)
    none = await door.lookup(f"good.{D}", RecordType.MX)

    assert len(texts.records) == 100
    assert texts.records[0].startswith("text ")
    assert alias.canonical == f"good.{D}"
    assert none.records == ()


@pytest.mark.parametrize("name", [f"timeout.{D}", f"garbage.{D}", f"servfail.{D}"])
async def test_name_servers_that_fail_are_a_failure_of_the_lookup(door: Door, name: str) -> None:
    with pytest.raises(LookupFailed):
        async with asyncio.timeout(30):
            await door.lookup(name, RecordType.MX)


async def test_a_connection_for_mail_goes_to_a_checked_address_and_the_mail_port_only(door: Door) -> None:
    for host, port in ((f"good.{D}", 80), (f"private.{D}", 25), ("10.0.0.1", 25), (f"loopback.{D}", 25)):
        with pytest.raises(TargetRefused):
            await door.connect(Feature.SMTP_PROBE, host, port)
