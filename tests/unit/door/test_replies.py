"""Bodies are read as their bytes say, whatever the headers say."""

import httpx2
import pytest

from leadflood.kernel.door.errors import UnexpectedContent
from leadflood.kernel.door.features import LIMITS, Feature
from leadflood.kernel.door.hosts import StoredRobots
from leadflood.kernel.door.replies import decode_text, require_content
from leadflood.kernel.door.robots import rules_of
from leadflood.kernel.door.targets import InternalHosts, parse_target

TARGET = parse_target("https://acme.com/", Feature.WEBSITE, LIMITS[Feature.WEBSITE], InternalHosts())


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Müller".encode(), "text/html; charset=utf-8", "Müller"),
        ("Müller".encode("cp1252"), "text/html; charset=utf-8", "Müller"),
        ("Müller".encode(), "text/html; charset=iso-8859-1", "MÃ¼ller"),
        ("Müller".encode("utf-16"), "text/html", "Müller"),
        (b"\xef\xbb\xbfM", "text/html; charset=cp1251", "M"),
        (b'<meta charset="shift_jis">' + "日本".encode("shift_jis"), "text/html", '<meta charset="shift_jis">日本'),
        ("Zażółć".encode("iso8859-2"), "text/html; charset=ISO-8859-2", "Zażółć"),
        (b"xn--a", "text/html; charset=punycode", "xn--a"),
        (b"caf\xe9", "text/html; charset=no-such-thing", "café"),
        (b"\x81\x8d", "", "\ufffd\ufffd"),
        (b"", "text/html; charset=utf-8", ""),
    ],
)
def test_text_is_decoded_by_what_fits_the_bytes(body: bytes, content_type: str, text: str) -> None:
    assert decode_text(body, content_type) == text


@pytest.mark.parametrize(
    ("feature", "start", "declared"),
    [
        (Feature.WEBSITE, b"MZ\x00\x01", "text/html"),
        (Feature.WEBSITE, b"%PDF-1.7 ", "application/pdf"),
        (Feature.REGISTER, b"<!doctype html>", "application/json"),
        (Feature.PROVIDER, b"Too many requests", "text/plain"),
        (Feature.LOGO, b"<!doctype html>", "image/png"),
    ],
)
def test_another_kind_of_content_is_refused(feature: Feature, start: bytes, declared: str) -> None:
    headers = httpx2.Headers({"content-type": declared})
    with pytest.raises(UnexpectedContent):
        require_content(TARGET, start, 200, headers, LIMITS[feature])
    require_content(TARGET, start, 404, headers, LIMITS[feature])


@pytest.mark.parametrize(
    ("feature", "start", "declared"),
    [
        (Feature.WEBSITE, b"<!doctype html>", "text/html"),
        (Feature.WEBSITE, "Ünïcode 日本".encode(), ""),
        (Feature.REGISTER, b' {"a": 1}', "text/plain"),
        (Feature.LOGO, b"\x89PNG\r\n\x1a\n\x00", ""),
        (Feature.WEBHOOK, b"MZ\x00", ""),
    ],
)
def test_the_expected_kind_of_content_is_read(feature: Feature, start: bytes, declared: str) -> None:
    require_content(TARGET, start, 200, httpx2.Headers({"content-type": declared}), LIMITS[feature])


def test_robots_rules_follow_the_longest_match_and_our_group() -> None:
    ours = "User-agent: leadfloodbot\nDisallow: /private\nAllow: /private/open\nCrawl-delay: 4"
    text = f"User-agent: *\nDisallow: /\n\n{ours}"
    rules = rules_of(StoredRobots(text, reachable=True))

    allowed = [path for path in ("/", "/private/x", "/private/open/x") if rules.allows(f"https://acme.com{path}", path)]
    assert allowed == ["/", "/private/open/x"]
    assert (rules.delay, rules.home_page_only) == (4.0, False)


def test_a_long_crawl_delay_leaves_the_home_page_only_and_an_unreachable_site_nothing() -> None:
    slow = rules_of(StoredRobots("User-agent: *\nCrawl-delay: 60", reachable=True))
    away, free = rules_of(StoredRobots("", reachable=False)), rules_of(StoredRobots("", reachable=True))

    assert slow.delay == 10
    assert [slow.allows(f"https://acme.com{path}", path) for path in ("/", "/a")] == [True, False]
    assert not away.allows("https://acme.com/", "/")
    assert away.allows("https://acme.com/robots.txt", "/robots.txt")
    assert free.allows("https://acme.com/a", "/a")
