"""Idempotency keys: the same request, sent again with the same key, has one effect and gets the same response.

Follows draft-ietf-httpapi-idempotency-key-header-07. The answer is stored in the transaction of the effect itself, so
there is never one without the other. It is encrypted with the raw key, of which only a hash is stored: reading the
database learns no secret that an answer held.
"""

import json
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.subjects import Place

Outcome = TypeVar("Outcome")

KEY_DAYS = 7
"""Days for which responses are stored."""

MAX_STORED_BYTES = 256 * 1024
"""Maximum size of a stored response in bytes."""

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?", re.ASCII)

# Lock the keys that are free. The locks end with the transaction, after its rows became visible: the next one to
# get a lock finds the response.
_LOCK = sql("""
SELECT pg_try_advisory_xact_lock(hashtextextended(name, 0)) AS held
FROM unnest(:names::text[]) WITH ORDINALITY AS n (name, place)
ORDER BY place
""")
# The stored responses of keys.
_FIND = sql("""
SELECT key_hash, fingerprint, answer FROM idempotency_keys
WHERE workspace_id = :workspace_id AND key_hash = ANY (:keys)
""")
# Store responses.
_STORE = sql("""
INSERT INTO idempotency_keys (workspace_id, key_hash, fingerprint, answer, ids_only)
SELECT :workspace_id::uuid, k.key, k.fingerprint, k.answer, k.ids_only
FROM unnest(:keys::bytea[], :fingerprints::bytea[], :answers::bytea[], :ids_only::boolean[])
     AS k (key, fingerprint, answer, ids_only)
""")
# Delete responses but keep their keys: a repeated request has no second effect.
_DROP_ANSWERS = sql("""
UPDATE {table} t SET answer = '' WHERE t.workspace_id = :workspace_id AND ({found})
""")
PERSONAL_ANSWERS = Place(
    name="answers",
    table=sql("idempotency_keys"),
    found=sql("NOT t.ids_only AND t.answer <> ''"),
    erase=_DROP_ANSWERS,
    record=None,
)
"""The responses of a workspace that may contain personal data. They are encrypted, so it is unknown whose."""

# Delete old responses.
_PURGE = sql("DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(days => :days)")


class IdempotencyInProgress(AppError):
    """A request with the same `Idempotency-Key` is in progress."""

    code = "idempotency_in_progress"
    status = 409
    title = "Request in progress"
    remedy = "Wait for as many seconds as `Retry-After` says, then send the same request again."

    def __init__(self) -> None:
        detail = "A request with this Idempotency-Key is in progress. Retry shortly to get its response."
        super().__init__(detail, headers={"Retry-After": "1"})


class IdempotencyMismatch(AppError):
    """The `Idempotency-Key` was used for a different method, path, query, body or caller."""

    code = "idempotency_mismatch"
    status = 422
    title = "Idempotency-Key reused"
    remedy = "Use a fresh Idempotency-Key, such as a new UUID, for each new request."

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key belongs to another request. Use a new key for each new request.")


class ResponseNotStored(AppError):
    """A request with this key was processed, but its response was not stored or has been erased."""

    code = "idempotency_response_not_stored"
    status = 409
    title = "Already done"
    remedy = "Read what the request created or changed."

    def __init__(self) -> None:
        detail = (
            "This request was already carried out. Its response is not stored, because it was too large or because"
            " personal data was erased."
        )
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response: status, relevant headers, body.

    Attributes:
        ids_only: whether it has no data of a person.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    ids_only: bool = False

    def to_bytes(self) -> bytes:
        """One line of JSON with status and headers, then the body."""
        return json.dumps([self.status, dict(self.headers)]).encode() + b"\n" + self.body

    @classmethod
    def from_bytes(cls, stored: bytes) -> "StoredResponse":
        """The opposite of `to_bytes`."""
        head, _, body = stored.partition(b"\n")
        status, headers = json.loads(head)
        return cls(status, headers, body)


class IdempotencyKey:
    """The key of one request, bound to its workspace and content."""

    def __init__(self, secret_box: SecretBox, workspace_id: UUID, key: str, request: tuple[bytes, ...]) -> None:
        """`request`: all that makes it this request and no other: method, path, query, body, caller.

        Raises: InvalidInput: for a key that is not 1 to 255 printable ASCII characters.
        """
        if not _KEY.fullmatch(key):
            message = "Use 1 to 255 printable ASCII characters, such as a UUID."
            error = FieldError("Idempotency-Key", "invalid_format", message)
            raise InvalidInput("The Idempotency-Key is not valid.", errors=[error])
        self._secret_box = secret_box
        self._workspace_id = workspace_id
        self._key = key.encode()
        self._fingerprints = {
            box.fingerprint(b"idempotency-key", workspace_id.bytes, self._key): box.fingerprint(
                b"idempotent-request", *request
            )
            for box in secret_box.per_key
        }
        self._hash = next(iter(self._fingerprints))

    @property
    def hash(self) -> bytes:
        """Stored form of the key: equal for equal keys of a workspace."""
        return self._hash

    @property
    def hashes(self) -> Sequence[bytes]:
        """Stored forms of the key with the current secret key, then with its fallbacks."""
        return tuple(self._fingerprints)

    async def claim(self, tx: Transaction) -> StoredResponse | None:
        """Reserve the key until `tx` ends. Returns the answer to give, or None for a request that is new.

        Raises: IdempotencyInProgress, IdempotencyMismatch.
        """
        (found,) = await claim_keys(tx, [self])
        if isinstance(found, AppError):
            raise found
        return found

    async def store(self, tx: Transaction, answer: StoredResponse) -> None:
        """Store the response together with the effect."""
        await store_responses(tx, [(self, answer)])

    def opened(
        self, key_hash: bytes, fingerprint: bytes, sealed: bytes
    ) -> "StoredResponse | IdempotencyMismatch | ResponseNotStored":
        """The stored response of this key, unless it belongs to another request or was erased with a person's data."""
        same_request = fingerprint == self._fingerprints[key_hash]
        if same_request and not sealed:
            return ResponseNotStored()
        answer = self._secret_box.decrypt(sealed, self._key) if same_request else None
        return IdempotencyMismatch() if answer is None else StoredResponse.from_bytes(answer)

    def sealed(self, answer: StoredResponse) -> tuple[bytes, bytes, bytes, bool]:
        """Stored form of the response: hash, fingerprint, ciphertext, and whether it contains only IDs."""
        fingerprint = self._fingerprints[self._hash]
        return self._hash, fingerprint, self._secret_box.encrypt(answer.to_bytes(), self._key), answer.ids_only

    @property
    def workspace_id(self) -> UUID:
        """Workspace of the key."""
        return self._workspace_id


@dataclass(frozen=True, slots=True)
class KeyedRequest(Generic[Outcome]):
    """A request with a key that shares its transaction with others.

    Attributes:
        kept: what is stored of the outcome of the request; None for a refusal that is not kept.
    """

    key: IdempotencyKey
    kept: Callable[[Outcome | AppError], StoredResponse | None]


async def claim_keys(tx: Transaction, keys: Sequence[IdempotencyKey]) -> list[StoredResponse | AppError | None]:
    """Reserve different keys of one workspace until `tx` ends.

    For each: the answer to give, None for a request that is new, or why it is refused (`IdempotencyInProgress`,
    `IdempotencyMismatch`).
    """
    hashes = [key_hash for key in keys for key_hash in key.hashes]
    locks = await tx.all(_LOCK, {"names": [f"idempotency:{key_hash.hex()}" for key_hash in hashes]})
    held = {key_hash for key_hash, lock in zip(hashes, locks, strict=True) if lock.held}
    rows = await tx.all(_FIND, {"workspace_id": keys[0].workspace_id, "keys": hashes})
    stored = {row.key_hash: row for row in rows}
    return [_claimed(key, held, stored) for key in keys]


def _claimed(
    key: IdempotencyKey, held: Container[bytes], stored: Mapping[bytes, Row]
) -> StoredResponse | AppError | None:
    if not all(key_hash in held for key_hash in key.hashes):
        return IdempotencyInProgress()
    row = next((stored[key_hash] for key_hash in key.hashes if key_hash in stored), None)
    return None if row is None else key.opened(row.key_hash, row.fingerprint, row.answer)


async def store_responses(tx: Transaction, answers: Sequence[tuple[IdempotencyKey, StoredResponse]]) -> None:
    """Store the responses of claimed keys of one workspace together with their effects."""
    hashes, fingerprints, sealed, ids_only = zip(*(key.sealed(answer) for key, answer in answers), strict=True)
    columns = {"keys": list(hashes), "fingerprints": list(fingerprints), "answers": list(sealed)}
    columns |= {"ids_only": list(ids_only)}
    await tx.execute(_STORE, {"workspace_id": answers[0][0].workspace_id, **columns})


async def purge_expired_keys(tx: Transaction) -> int:
    """Delete responses older than `KEY_DAYS`; returns their number. Requires a system transaction."""
    return await tx.changed(_PURGE, {"days": KEY_DAYS})
