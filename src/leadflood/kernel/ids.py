"""Identifiers: UUID version 7 (RFC 9562, 5.7), time-ordered so that new rows land at the end of an index."""

from datetime import datetime, timedelta
from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7


def new_id() -> UUID:
    """A new UUIDv7. Unique, but its first 48 bits can be guessed: never use it as a secret.

    It has the driver's class of IDs, which is several times as fast to create, compare, hash and serialize.
    """
    return pgproto.UUID(uuid7().bytes)


def first_id_at(moment: datetime, shift: timedelta = timedelta()) -> UUID:
    """The smallest UUIDv7 of the millisecond `shift` after `moment`: a bound for IDs by creation time."""
    milliseconds = int((moment.timestamp() + shift.total_seconds()) * 1000)
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)


SYSTEM_WORKSPACE_ID = UUID(int=0)
"""The workspace of jobs that belong to no customer (heartbeat, clean-up). It cannot have members."""
