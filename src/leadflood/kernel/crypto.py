"""Passwords, tokens, fingerprints and encryption. The only source of randomness for secrets."""

import hashlib
import hmac
import random
import secrets
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 32
_CHECKSUM_LENGTH = 6

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))

_RANDOM = random.Random()  # noqa: S311  jitter and ids of traces only


def hash_password(password: str) -> str:
    """An argon2id hash in PHC string format. Takes tens of milliseconds: call it in a thread."""
    return _HASHER.hash(password)


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the password matches, in constant time. As slow as `hash_password`."""
    return _HASHER.verify(password, password_hash)


def new_token(prefix: str) -> str:
    """A secret of 190 bits as `<prefix><32 characters><6 characters of checksum>`, all base 62.

    The checksum (CRC-32) lets secret scanners and our own edge discard what was never a token without a look-up.
    """
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return f"{prefix}{secret}{_checksum(prefix + secret)}"


def is_token(token: str, prefix: str) -> bool:
    """Whether `token` has the form and checksum that `new_token(prefix)` gives."""
    body, checksum = token[:-_CHECKSUM_LENGTH], token[-_CHECKSUM_LENGTH:]
    well_formed = len(body) == len(prefix) + _SECRET_LENGTH and token.isascii() and body.startswith(prefix)
    return well_formed and hmac.compare_digest(_checksum(body), checksum)


def token_hash(token: str) -> bytes:
    """Stored form of a token: SHA-256. Its 190 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_password() -> str:
    """A random initial password of 119 bits, printed once."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def new_secret_key() -> str:
    """A new value for LEADFLOOD_SECRET_KEY."""
    return secrets.token_urlsafe(48)


def random_unit() -> float:
    """A random number in [0, 1) for jitter and sampling, never for secrets."""
    return _RANDOM.random()


def random_hex(length: int) -> str:
    """`length` random bytes as hexadecimal digits, suitable for secrets."""
    return secrets.token_hex(length)


def trace_hex(length: int) -> str:
    """`length` bytes of chance as hexadecimal digits, for ids of traces and requests, never for secrets.

    The operating system is not asked for them: that would be three calls a request.
    """
    return _RANDOM.randbytes(length).hex()


_FORMAT = b"\x01"
_KEY_ID_LENGTH = 4
_NONCE_LENGTH = 12
SEALED_PREFIX_LENGTH = len(_FORMAT) + _KEY_ID_LENGTH
"""Length of the format byte and key ID at the start of an encrypted value."""


class SecretBox:
    """Keyed hashing and encryption with LEADFLOOD_SECRET_KEY. Fallbacks are used for decrypting and verifying only."""

    def __init__(self, secret_key: str, fallbacks: Sequence[str] = ()) -> None:
        """Args: secret_key: the current key. fallbacks: former keys, newest first."""
        self._key = hashlib.sha256(secret_key.encode()).digest()
        self._prefix = _FORMAT + self.fingerprint(b"key id")[:_KEY_ID_LENGTH]
        former = [SecretBox(key) for key in dict.fromkeys(fallbacks) if key != secret_key]
        self.per_key: tuple[SecretBox, ...] = (self, *former)
        """One box per known key, the current one first. A signature or hash of any of them is valid."""

    @property
    def key_id(self) -> str:
        """ID of the current key: 8 hexadecimal digits that reveal nothing about the key."""
        return self._prefix[len(_FORMAT) :].hex()

    @property
    def sealed_prefix(self) -> bytes:
        """First bytes of values encrypted with the current key."""
        return self._prefix

    def fingerprint(self, *parts: bytes) -> bytes:
        """HMAC-SHA-256 over the parts, each with its length, so that moving a border changes the result."""
        return keyed_hash(self._key, *parts)

    def sign(self, value: bytes) -> str:
        """A short signature (96 bits, URL-safe) against accidental or casual changes."""
        return urlsafe_b64encode(self.fingerprint(b"tag", value)[:12]).decode()

    def token(self, prefix: str, *parts: bytes) -> str:
        """A token in the form of `new_token`, but deterministic for the same parts, so that it need not be stored."""
        value, secret = int.from_bytes(self.fingerprint(b"token", *parts), "big"), ""
        for _ in range(_SECRET_LENGTH):
            value, digit = divmod(value, len(_ALPHABET))
            secret += _ALPHABET[digit]
        return f"{prefix}{secret}{_checksum(prefix + secret)}"

    def encrypt(self, plain: bytes, context: bytes) -> bytes:
        """AES-256-GCM with a key derived from the current key and `context`, which is required again to decrypt.

        The result is a format byte, 4 bytes of key ID, 12 bytes of nonce, and the ciphertext with its tag.
        """
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        return self._prefix + nonce + _cipher(self, context).encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes, context: bytes) -> bytes | None:
        """The decrypted value, or None if no known key fits, the context differs, or the bytes were changed.

        Values of releases before key IDs have none and are tried with every key.
        """
        keyed = [(box, sealed[SEALED_PREFIX_LENGTH:]) for box in self.per_key if sealed.startswith(box.sealed_prefix)]
        tries = [*keyed, *((box, sealed) for box in self.per_key)]
        return next((plain for box, body in tries if (plain := _opened(box, body, context)) is not None), None)


def _cipher(box: SecretBox, context: bytes) -> AESGCM:
    return AESGCM(box.fingerprint(b"seal", context))


def _opened(box: SecretBox, body: bytes, context: bytes) -> bytes | None:
    nonce, ciphertext = body[:_NONCE_LENGTH], body[_NONCE_LENGTH:]
    try:
        return _cipher(box, context).decrypt(nonce, ciphertext, None)
    except (InvalidTag, ValueError):  # ValueError: too short for a nonce
        return None


def key_id_of(sealed: bytes) -> str | None:
    """ID of the key that a value is encrypted with; None for a value without key ID."""
    if len(sealed) < SEALED_PREFIX_LENGTH or not sealed.startswith(_FORMAT):
        return None
    return sealed[len(_FORMAT) : SEALED_PREFIX_LENGTH].hex()


def keyed_hash(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over the parts, each with its length, so that moving a border changes the result."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.digest()


def new_fingerprint_key() -> bytes:
    """A random 256-bit key for `keyed_hash`."""
    return secrets.token_bytes(32)


def _checksum(text: str) -> str:
    value, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


@dataclass(frozen=True, slots=True)
class MailedLink:
    """A kind of link in emails. Each sending has a new token: the database stores only its hash.

    Attributes:
        prefix: how its tokens begin.
        purpose: keeps its tokens apart from those of other kinds.
        path: of the page that it leads to.
    """

    prefix: str
    purpose: bytes
    path: str

    def token(self, secret_box: SecretBox, record_id: UUID, sending: int) -> str:
        """The token of one sent email, derived with the current key."""
        return secret_box.token(self.prefix, self.purpose, record_id.bytes, str(sending).encode())

    def token_with_hash(self, secret_box: SecretBox, record_id: UUID, sending: int, stored: bytes) -> str | None:
        """The token of one sent email that matches the stored hash, with any known key; None if no key fits."""
        tokens = (self.token(box, record_id, sending) for box in secret_box.per_key)
        return next((token for token in tokens if token_hash(token) == stored), None)

    def url(self, public_url: str, token: str) -> str:
        """The URL of the link in the email."""
        return f"{public_url}{self.path}/{token}"

    def is_token(self, text: str) -> bool:
        """Whether a text has the form of such a token."""
        return is_token(text, self.prefix)


RepeatableRandom: TypeAlias = random.Random


def repeatable_random(seed: int) -> RepeatableRandom:
    """Random numbers that are the same for the same seed: for statistics, never for secrets."""
    return RepeatableRandom(seed)
