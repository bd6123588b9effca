"""Exceptions in logs and job records, without customer data.

Messages of exceptions quote values: PostgreSQL the row of a duplicate key, `int()` the text that is not a number, a
mail server the recipient. So only messages of kinds that contain no values are shown; otherwise only the kind and the
place.
"""

import re
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, TypeGuard

from leadflood.kernel.errors import AppError

if TYPE_CHECKING:
    import asyncpg

_OWN_WORDS = (AppError, RuntimeError, TypeError, AttributeError, NameError, ImportError, OSError, MemoryError)
"""Kinds whose messages contain only names of our code, the language or the system."""
_QUOTING_STATES = ("22", "P0")
"""Classes of SQLSTATE whose primary message quotes a value: data exceptions, and errors raised by functions."""
_UNFIT_PARAMETER = re.compile(r"query argument (\$\d+)")
"""Pattern of the driver's message about a parameter that it cannot encode, before it quotes the value."""
_MAX_LINKS = 20


def describe(error: BaseException | None) -> str:
    """One line about an exception."""
    if error is None:
        return ""
    name = type(error).__name__
    if _is_of_server(error):
        return f"{name}: {_without_values(error)}"
    if isinstance(error, _OWN_WORDS) and not isinstance(error, ValueError) and str(error):
        return f"{name}: {error}"
    return name


def traceback_of(error: BaseException, *, frames: int | None = None) -> str:
    """The tracebacks of an exception and its causes. `frames`: only the innermost of each."""
    return "\n".join(_lines(error, frames))


def write_traceback(stream: TextIO, exc_info: tuple[type[BaseException], BaseException, object]) -> None:
    """Write an exception in the form that structlog's console expects."""
    stream.write(traceback_of(exc_info[1]))


def redact_values(error: BaseException) -> None:
    """Remove the values from a database error, for later output such as a warning of asyncio."""
    if _is_of_server(error):
        error.args = (_without_values(error),)
        vars(error).update(dict.fromkeys(("detail", "hint", "context", "query", "internal_query")))
    elif _is_bad_parameter(error):
        error.args = ("A parameter does not fit its type.",)


def _is_of_server(error: BaseException | None) -> "TypeGuard[asyncpg.PostgresError]":
    """Whether the server reported it. The driver isn't imported for this: a module that isn't loaded raised nothing."""
    loaded = sys.modules.get("asyncpg")
    return loaded is not None and isinstance(error, loaded.PostgresError)


def _is_bad_parameter(error: BaseException | None) -> bool:
    loaded = sys.modules.get("asyncpg")
    return loaded is not None and isinstance(error, loaded.InterfaceError) and isinstance(error, ValueError)


def _without_values(error: "asyncpg.PostgresError") -> str:
    state = error.sqlstate or ""
    quotes = not state or state.startswith(_QUOTING_STATES)
    if unfit := _UNFIT_PARAMETER.search(str(error.args[0] if error.args else "")):
        return f"SQLSTATE {state} (parameter {unfit[1]} does not fit its type)"
    primary = f"SQLSTATE {state}" if quotes else str(error.args[0] if error.args else "").partition("\n")[0]
    constraint = getattr(error, "constraint_name", None)
    return f"{primary} ({constraint})" if constraint and constraint not in primary else primary


def _lines(error: BaseException, frames: int | None) -> Iterator[str]:
    chain = [error]
    while len(chain) < _MAX_LINKS:
        last = chain[-1]
        earlier = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if earlier is None or earlier in chain:
            break
        chain.append(earlier)
    for item in reversed(chain):
        yield "Traceback (most recent call last):"
        shown = traceback.extract_tb(item.__traceback__, None if frames is None else -frames)
        yield "".join(traceback.format_list(shown)).rstrip("\n")
        yield describe(item)
        if isinstance(item, BaseExceptionGroup):
            for member in item.exceptions:
                yield from (f"  | {line}" for line in traceback_of(member, frames=frames).splitlines())
        if item is not error:
            yield "\nThis led to:\n"
