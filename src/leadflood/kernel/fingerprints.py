"""Keyed hashes for looking up stored records, such as answers of a provider.

They have a key of their own: without a key, a reader of the table could try all addresses. The key is created once per
installation, is stored in the database encrypted with the secret key, and never changes: with another key, no stored
record would be found. Rotating the secret key only encrypts it again.
"""

import asyncio
from typing import Final

from leadflood.kernel.crypto import SecretBox, key_id_of, keyed_hash, new_fingerprint_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import AppError
from leadflood.kernel.sealed_columns import SealedColumn

_NAME: Final = "fingerprint"
_CONTEXT: Final = b"installation key fingerprint"

FINGERPRINT_KEY: Final = SealedColumn(
    name="fingerprint key",
    table=sql("installation_keys"),
    column=sql("sealed"),
    key=sql("t.name"),
    context=sql("convert_to('installation key ' || t.name, 'UTF8')"),
)

# The stored key.
_FIND = sql("SELECT sealed FROM installation_keys WHERE name = :name")
# Store a new key unless another process has.
_ADD = sql("INSERT INTO installation_keys (name, sealed) VALUES (:name, :sealed) ON CONFLICT (name) DO NOTHING")


class FingerprintKeyUnreadable(AppError):
    """The fingerprint key is encrypted with a secret key that this process does not have."""

    code = "fingerprint_key_unreadable"
    status = 500
    title = "Fingerprint key unreadable"
    remedy = "Add the installation's former secret key to LEADFLOOD_SECRET_KEY_FALLBACKS."

    def __init__(self, key_id: str | None) -> None:
        """Args: key_id: ID of the missing secret key."""
        super().__init__(
            f"The fingerprint key of this database is encrypted with the secret key {key_id or 'of an unknown ID'}, "
            "which this process does not have. Add that key to LEADFLOOD_SECRET_KEY_FALLBACKS and restart."
        )


class Fingerprints:
    """Keyed hashes. The key is read, or created, on first use."""

    def __init__(self, database: Database, secret_box: SecretBox) -> None:
        self._database = database
        self._secret_box = secret_box
        self._key: bytes | None = None
        self._reading = asyncio.Lock()

    async def hash(self, *parts: bytes) -> bytes:
        """A 32-byte hash of the parts in order, stable for the life of the installation.

        Raises: FingerprintKeyUnreadable, leadflood.kernel.errors.Unavailable.
        """
        async with self._reading:  # hashes that are needed together read it once
            if self._key is None:
                self._key = await self._stored()
        return keyed_hash(self._key, *parts)

    async def _stored(self) -> bytes:
        async with self._database.system() as tx:
            sealed = await tx.scalar(_FIND, {"name": _NAME})
            if sealed is None:
                fresh = self._secret_box.encrypt(new_fingerprint_key(), _CONTEXT)
                await tx.execute(_ADD, {"name": _NAME, "sealed": fresh})
                sealed = await tx.scalar(_FIND, {"name": _NAME})
        key = self._secret_box.decrypt(sealed, _CONTEXT)
        if key is None:
            raise FingerprintKeyUnreadable(key_id_of(sealed))
        return key
