"""Password rules, the unit of address throttling, and the sum of scopes."""

import pytest

from leadflood.domains.identity.models import (
    acceptable_password,
    can_grant,
    normalise_password,
    permissions_of,
    throttled_address,
)
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import PERMISSIONS, Actor, ActorKind, Role
from leadflood.kernel.ids import new_id
from leadflood.kernel.text import InvalidValue


@pytest.mark.parametrize(
    "password",
    [
        "seven purple walruses",
        "gk3#Vq9!xT2m",
        "пароль-из-слов-и-чисел",
        "🦭🦊🐢🐙🦉🐝🦁🐸🐼🐨🦄🐌",
        "8264 9173 5502 7718",
        "x" + "ab12cd34" * 15,
        "a password nobody has",
    ],
)
def test_a_password_that_is_hard_to_guess_is_accepted_as_it_is(password: str) -> None:
    assert acceptable_password(password, "ada@acme.com") == password


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "too_short"),
        ("elevenchars", "too_short"),
        ("e\u0301" * 11, "too_short"),
        ("x1" * 65, "too_long"),
        ("seven\0purple walruses", "invalid_characters"),
        ("seven\npurple walruses", "invalid_characters"),
        ("seven \ud800 walruses", "invalid_characters"),
        ("aaaaaaaaaaaa", "weak_password"),
        ("121212121212", "weak_password"),
        ("123456789012", "weak_password"),
        ("abcdefghijklm", "weak_password"),
        ("Password1234", "weak_password"),
        ("passwordpassword", "weak_password"),
        ("LeadFlood-2026", "weak_password"),
        ("lead-flood-2026!", "weak_password"),
        ("Qwertyuiop123", "weak_password"),
        ("Ada@Acme.com", "weak_password"),
        ("ada.acme.2026", "weak_password"),
        ("password-password", "weak_password"),
        ("P@ssw0rd2026!", "weak_password"),
        ("Summer2026!!", "weak_password"),
        ("qwertzuiop123", "weak_password"),
        ("q1w2e3r4t5y6", "weak_password"),
        ("welcome leadflood", "weak_password"),
        ("correct horse battery staple", "weak_password"),
        ("Correct-Horse-Battery-Staple!", "weak_password"),
        ("demo-flood-2026", "weak_password"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(password: str, code: str) -> None:
    assert refusal(password) == code


def test_a_password_of_many_megabytes_is_too_long() -> None:
    assert refusal("e\u0301" * 2_500_000) == "too_long"


def refusal(password: str) -> str:
    with pytest.raises(InvalidValue) as caught:
        acceptable_password(password, "ada@acme.com")
    assert password not in str(caught.value) or not password
    return caught.value.code


def test_the_same_characters_give_the_same_password_however_they_are_typed() -> None:
    assert normalise_password("cafe\u0301\u3000noir") == normalise_password("caf\u00e9 noir") == "caf\u00e9 noir"


@pytest.mark.parametrize(
    ("ip", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_an_address_is_counted_as_its_customer(ip: str | None, address: str) -> None:
    assert throttled_address(ip) == address


def test_a_key_can_do_what_both_its_scopes_and_its_makers_role_allow() -> None:
    scopes = ["leads:read", "leads:write", "account", "a:scope:of:an:older:version"]

    assert permissions_of(Role.VIEWER, scopes) == {LEADS_READ}
    assert permissions_of(Role.MEMBER, scopes) == {LEADS_READ, LEADS_WRITE}
    assert permissions_of(Role.OWNER, []) == frozenset()
    assert permissions_of(Role.VIEWER, None) == PERMISSIONS[Role.VIEWER]


def test_a_role_can_be_given_by_whoever_has_all_that_it_allows() -> None:
    member = Actor(ActorKind.USER, new_id(), PERMISSIONS[Role.MEMBER])

    assert can_grant(member, Role.VIEWER)
    assert can_grant(member, Role.MEMBER)
    assert not can_grant(member, Role.ADMIN)
    assert can_grant(Actor.cli(new_id()), Role.OWNER)
