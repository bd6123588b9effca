"""URLs are read as browsers read them, and refused where they name something that must not be contacted."""

import pytest

from leadflood.kernel.door.errors import TargetRefused
from leadflood.kernel.door.features import LIMITS, Feature
from leadflood.kernel.door.targets import (
    InternalHosts,
    RequestTarget,
    parse_host,
    parse_internal_hosts,
    parse_name,
    parse_target,
)
from tests.support.samples import rows

NONE = InternalHosts()


def parsed(
    url: str, feature: Feature = Feature.WEBSITE, internal: InternalHosts = NONE, base: str = ""
) -> RequestTarget:
    return parse_target(url, feature, LIMITS[feature], internal, base=base)


REFUSED = [
    *(
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://[::1]/",
    ),
    *("http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://[::ffff:7f00:1]/", "http://[fe80::1%25lo]/", "http://[::]/"),
    *("http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://metadata/", "http://a.internal/"),
    *("http://metadata.google.internal/", "http://printer.local/", "http://1.0.0.127.in-addr.arpa/", "http://nas.lan/"),
    *("http://user@acme.com/", "http://user:pass@acme.com/", "http://acme.com@127.0.0.1/", "file:///etc/passwd"),
    *("gopher://acme.com/", "ftp://acme.com/", "javascript:alert(1)", "//acme.com/", "acme.com", "", "http://"),
    *(
        "http://acme.com:22/",
        "http://acme.com:8080/",
        "http://acme.com:0/",
        "https://acme.com:65536/",
        "http://acme..com/",
    ),
    *(
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.168.0.1:80/",
        "http://acme.com" + "/x" * 1100,
    ),
]


@pytest.mark.parametrize("url", REFUSED)
def test_a_dangerous_url_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(TargetRefused) as caught:
        parsed(url)

    assert caught.value.sentence.endswith((".", "…"))
    assert len(caught.value.sentence) < 200


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://ACME.com", "acme.com", 80, "/"),
        ("https://acme.com./a b?q=ü#part", "acme.com", 443, "/a%20b?q=%C3%BC"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("http://8.8.8.8/", "8.8.8.8", 80, "/"),
        ("https://[2606:4700::1111]/x", "2606:4700::1111", 443, "/x"),
    ],
)
def test_a_public_url_is_parsed_once(url: str, host: str, port: int, path: str) -> None:
    target = parsed(url)

    assert (target.host, target.port, target.path) == (host, port, path)
    assert "?" not in target.shown
    assert target.url == parsed(target.url).url


def test_a_redirect_is_relative_to_its_page() -> None:
    assert parsed("../c?d", base="https://acme.com/a/b/").url == "https://acme.com/a/c?d"
    assert parsed("//www.acme.com/", base="https://acme.com/").url == "https://www.acme.com/"
    with pytest.raises(TargetRefused):
        parsed("//127.0.0.1/", base="https://acme.com/")


def test_the_operator_allows_internal_hosts_by_name_and_feature() -> None:
    internal = parse_internal_hosts("model=ollama.internal:11434, webhook=10.0.0.5 ,, model=llm.lan")

    assert parsed("http://ollama.internal:11434/api", Feature.MODEL, internal).internal
    assert parsed("http://llm.lan:8000/", Feature.MODEL, internal).internal
    assert parsed("http://10.0.0.5:9000/hook", Feature.WEBHOOK, internal).internal
    for url, feature in [
        ("http://ollama.internal:11434/", Feature.WEBHOOK),
        ("http://ollama.internal:11435/", Feature.MODEL),
        ("http://10.0.0.5/", Feature.WEBSITE),
        ("http://x.ollama.internal:11434/", Feature.MODEL),
    ]:
        with pytest.raises(TargetRefused):
            parsed(url, feature, internal)
    assert not parsed("http://acme.com/", Feature.WEBHOOK, internal).internal


@pytest.mark.parametrize("text", ["ollama:11434", "models=a.internal", "model=", "model=a/b", "model=a@b", "model"])
def test_a_setting_of_internal_hosts_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"model|Features"):
        parse_internal_hosts(text)


@pytest.mark.parametrize("host", ["a@b.com", "a.com/x", "a.com:99", "::1", "127.0.0.1", "a.internal", "a b.com", ""])
def test_a_mail_server_is_a_public_host(host: str) -> None:
    limits = LIMITS[Feature.SMTP_PROBE]
    with pytest.raises(TargetRefused):
        parse_host(host, 25, Feature.SMTP_PROBE, limits, NONE)
    assert parse_host("mx.acme.com", 25, Feature.SMTP_PROBE, limits, NONE).host == "mx.acme.com"


@pytest.mark.parametrize("name", ["a.com/x", "a@b.com", "a.com:80", "127.0.0.1", "printer.local", "com", "", "a.com?x"])
def test_a_lookup_is_of_a_public_domain(name: str) -> None:
    with pytest.raises(TargetRefused):
        parse_name(name)
    assert parse_name("_DMARC.Acme.com.") == "_dmarc.acme.com"


@pytest.mark.samples
def test_sample_urls_are_read_as_web_browsers_read_them() -> None:
    limits = LIMITS[Feature.WEBSITE]
    for row in rows("ssrf/wpt_http_urls.jsonl"):
        expected = row["expected"]
        if "hostname" not in expected:
            continue
        try:
            target = parse_target(row["input"], Feature.WEBSITE, limits, NONE)
        except TargetRefused:
            continue
        assert target.host == expected["hostname"].strip("[]").removesuffix("."), row
