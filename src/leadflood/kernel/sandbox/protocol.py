"""Protocol between parent and child: JSON frames, never pickles, as a child may be compromised."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

HEADER: Final = 5
MAX_FRAME: Final = 64 * 1024 * 1024
"""Maximum bytes of one result: the parent may have to keep it in memory."""


class Frame(StrEnum):
    """Type of a frame: its first byte."""

    CALL = "c"
    ITEM = "i"
    END = "e"
    REFUSED = "r"
    FAILED = "f"


class StopReason(StrEnum):
    """Reason why a task did not finish."""

    TIME = "time"
    MEMORY = "memory"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """Limits of one step of a task, from one result to the next.

    Attributes:
        memory: bytes beyond what the child has in use before its first task.
        cpu: seconds of processor time.
        wall: seconds until the next result, for a child that waits instead of working.
    """

    memory: int
    cpu: int
    wall: float


def encode(kind: Frame, payload: Any) -> bytes:  # noqa: ANN401  JSON
    """A frame: one byte for its kind, four for its length, JSON in ASCII, which also carries lone surrogates."""
    data = json.dumps(payload, separators=(",", ":"), check_circular=False).encode("ascii")
    return kind.encode("ascii") + len(data).to_bytes(4, "big") + data


def header(data: bytes) -> tuple[Frame, int]:
    """Kind and length of a frame. Raises: ValueError: it is invalid."""
    kind, length = Frame(chr(data[0])), int.from_bytes(data[1:HEADER], "big")
    if length > MAX_FRAME:
        raise ValueError(f"a frame of {length} bytes")
    return kind, length
