"""A form must be ours, and a link must stay here."""

from base64 import urlsafe_b64encode

import pytest

from leadflood.kernel.crypto import SecretBox
from leadflood.web.cookies import (
    NOTES,
    CsrfFailed,
    Toast,
    check_csrf,
    check_origin,
    csrf_token,
    local_path,
    seal_notes,
    set_cookie,
    unseal_notes,
)

SEALER = SecretBox("k" * 40)


def test_a_token_fits_the_browser_that_it_was_made_for_and_looks_new_each_time() -> None:
    first, second = csrf_token(SEALER, "one"), csrf_token(SEALER, "one")

    check_csrf(SEALER, "one", first)
    check_csrf(SEALER, "one", second)

    assert first != second


@pytest.mark.parametrize(
    ("anchor", "token"),
    [
        ("two", csrf_token(SEALER, "one")),
        ("one", csrf_token(SecretBox("x" * 40), "one")),
        ("", csrf_token(SEALER, "")),
        ("one", ""),
        ("one", "no base64 é"),
        ("one", urlsafe_b64encode(b"short").decode()),
        ("one", urlsafe_b64encode(b"\0" * 32).decode()),
    ],
    ids=["another browser's", "another key's", "nobody's", "none", "no base64", "too short", "made up"],
)
def test_any_other_token_is_refused(anchor: str, token: str) -> None:
    with pytest.raises(CsrfFailed):
        check_csrf(SEALER, anchor, token)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "a.test", "origin": "https://a.test"},
        {"host": "a.test:5050", "origin": "http://A.test:5050"},
        {"host": "a.test", "referer": "https://a.test/leads?q=1"},
        {"host": "a.test", "sec-fetch-site": "same-origin"},
        {"host": "a.test"},
    ],
)
def test_a_request_of_our_own_page_is_let_through(headers: dict[str, str]) -> None:
    check_origin(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "a.test", "origin": "https://b.test"},
        {"host": "a.test", "origin": "null"},
        {"host": "a.test", "origin": ""},
        {"host": "a.test", "origin": "https://a.test.b.test"},
        {"host": "a.test:5050", "origin": "http://a.test"},
        {"host": "a.test", "referer": "https://b.test/a.test"},
        {"host": "a.test", "sec-fetch-site": "cross-site"},
        {"origin": "https://a.test"},
    ],
)
def test_a_request_of_another_sites_page_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(CsrfFailed):
        check_origin(headers)


@pytest.mark.parametrize("wanted", ["/leads", "/leads?q=a%2Fb&sort=-createdAt", "/leads/new#email"])
def test_a_link_to_a_page_of_ours_is_followed(wanted: str) -> None:
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [None, "", "leads", "//evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test", "/a\nb", "/\t/evil.test"],
)
def test_a_link_that_leads_elsewhere_is_not_followed(wanted: str | None) -> None:
    assert local_path(wanted) == "/"


def test_toasts_reach_the_next_page_of_the_same_browser_only() -> None:
    value = seal_notes(SEALER, "one", [Toast("Deleted 🎉.", undo="/x")]).removeprefix(f"{NOTES}=").partition(";")[0]

    assert unseal_notes(SEALER, "one", value) == [Toast("Deleted 🎉.", undo="/x")]
    assert unseal_notes(SEALER, "two", value) == []
    assert unseal_notes(SEALER, "one", ("B" if value.startswith("A") else "A") + value[1:]) == []
    assert unseal_notes(SEALER, "one", "é") == []


def test_cookies_stay_on_this_host_and_out_of_reach_of_scripts() -> None:
    assert set_cookie("__Host-a", "b", seconds=9) == ("__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=9")
