"""A secret key can be replaced; values that it encrypted or signed stay valid while it is a fallback."""

import stat
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from leadflood.domains.identity.service import devices
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import MailedLink, SecretBox, key_id_of, token_hash
from leadflood.kernel.secret_key import (
    NoSecretKey,
    SecretKeys,
    add_fallbacks,
    make_new_key,
    replace_secret_keys,
    secret_keys,
)
from leadflood.web.cookies import CsrfFailed, check_csrf, csrf_token

OLD, NEW, OTHER = "o" * 40, "n" * 40, "x" * 40
ROTATED = SecretBox(NEW, [OLD])
USER = UUID("0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10")


def settings(home: Path, **values: object) -> Settings:
    return Settings(_env_file=None).model_copy(update={"home": home, "secret_key": None, **values})


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_sealed_names_its_key_and_opens_under_the_same_context_only(plain: bytes, context: bytes) -> None:
    sealed = SecretBox(OLD).encrypt(plain, context)

    assert key_id_of(sealed) == SecretBox(OLD).key_id
    assert SecretBox(OLD).decrypt(sealed, context) == ROTATED.decrypt(sealed, context) == plain
    assert SecretBox(OLD).decrypt(sealed, context + b"!") is None
    assert SecretBox(NEW).decrypt(sealed, context) is None


def test_values_from_before_key_ids_open_under_any_known_key() -> None:
    nonce = b"\x01" + b"n" * 11  # begins like a value with a key id
    without_id = nonce + AESGCM(SecretBox(OLD).fingerprint(b"seal", b"context")).encrypt(nonce, b"plain", None)

    assert SecretBox(OLD).decrypt(without_id, b"context") == ROTATED.decrypt(without_id, b"context") == b"plain"
    assert SecretBox(NEW).decrypt(without_id, b"context") is None


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"\x01abcd", b"x" * 11, b"\x01" * 64])
def test_what_was_never_sealed_opens_as_nothing(damaged: bytes) -> None:
    assert ROTATED.decrypt(damaged, b"context") is None


def test_every_changed_byte_is_found() -> None:
    sealed = ROTATED.encrypt(b"plain", b"context")

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert ROTATED.decrypt(bytes(changed), b"context") is None, place


def test_a_new_value_is_sealed_under_the_current_key() -> None:
    assert key_id_of(ROTATED.encrypt(b"plain", b"")) == SecretBox(NEW).key_id != SecretBox(OLD).key_id
    assert key_id_of(b"x" * 40) is None


def test_forms_devices_and_links_of_a_former_key_stay_good() -> None:
    old, link = SecretBox(OLD), MailedLink("lfx_", b"test", "/x")
    cookie, token = devices.remember(old, None, USER), link.token(old, USER, 1)

    check_csrf(ROTATED, "anchor", csrf_token(old, "anchor"))
    assert devices.subject(ROTATED, cookie, USER) is not None
    renewed = devices.remember(ROTATED, cookie, USER)
    assert devices.subject(SecretBox(NEW), renewed, USER) is not None
    assert len(renewed) == len(cookie)
    assert link.token_with_hash(ROTATED, USER, 1, token_hash(token)) == token
    with pytest.raises(CsrfFailed):
        check_csrf(SecretBox(NEW, [OTHER]), "anchor", csrf_token(old, "anchor"))
    assert devices.subject(SecretBox(NEW), cookie, USER) is None
    assert link.token_with_hash(SecretBox(NEW), USER, 1, token_hash(token)) is None


def test_a_data_folder_gets_a_new_key_and_keeps_the_former_ones(tmp_path: Path) -> None:
    with pytest.raises(NoSecretKey):
        secret_keys(settings(tmp_path))
    first = secret_keys(settings(tmp_path), create=True)
    make_new_key(tmp_path)
    second = secret_keys(settings(tmp_path))
    make_new_key(tmp_path)
    third = secret_keys(settings(tmp_path))

    assert first.fallbacks == ()
    assert second.fallbacks == (first.current,)
    assert third.fallbacks == (second.current, first.current)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_key_that_was_already_a_fallback_when_the_command_was_killed_is_no_harm(tmp_path: Path) -> None:
    first = secret_keys(settings(tmp_path), create=True)
    add_fallbacks(tmp_path, [first.current])  # killed between the two files

    assert secret_keys(settings(tmp_path)).box.per_key[1:] == ()
    make_new_key(tmp_path)
    assert secret_keys(settings(tmp_path)).fallbacks == (first.current,)


def test_the_settings_win_over_the_data_folder(tmp_path: Path) -> None:
    secret_keys(settings(tmp_path), create=True)
    chosen = settings(tmp_path, secret_key=SecretStr(NEW), secret_key_fallbacks=SecretStr(f"{OLD}, {OTHER},"))

    assert secret_keys(chosen) == SecretKeys(NEW, (OLD, OTHER))


@pytest.mark.parametrize("value", ["short", f"{OLD},short", f"{OLD};{OTHER},x"])
def test_a_fallback_that_is_too_short_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="at least 32 characters"):
        Settings(_env_file=None, secret_key_fallbacks=SecretStr(value))


def test_a_backup_carries_all_keys(tmp_path: Path) -> None:
    keys = SecretKeys(NEW, (OLD, OTHER))
    secret_keys(settings(tmp_path), create=True)

    replace_secret_keys(tmp_path, SecretKeys.of_lines(keys.lines))

    assert secret_keys(settings(tmp_path)) == keys
    assert SecretKeys.of_lines(OLD) == SecretKeys(OLD)
