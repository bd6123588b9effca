"""Identifiers: UUID version 7 (RFC 9562, 5.7), time-ordered so that new rows land at the end of an index."""

from datetime import datetime, timedelta
from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7. Unique, but guessable in its first 48 bits: never use one as a secret.

    Of the class that the driver gives for ids in rows: made, compared, hashed and written several times as fast.
    """
    return pgproto.UUID(uuid7().bytes)


def first_id_at(moment: datetime, shift: timedelta = timedelta()) -> UUID:
    """The smallest UUIDv7 of the millisecond `shift` after `moment`: a bound for ids by when they were made."""
    milliseconds = int((moment.timestamp() + shift.total_seconds()) * 1000)
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)


SYSTEM_WORKSPACE_ID = UUID(int=0)
"""The workspace of jobs that belong to no customer (heartbeat, clean-up). It cannot have members."""
