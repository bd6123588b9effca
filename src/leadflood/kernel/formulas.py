"""Text in spreadsheet files that must not run as a formula."""

import re
from dataclasses import dataclass
from typing import Final

_STARTS: Final = "=+@\uff1d\uff0b\uff0d\uff20-"
_FORMULA: Final = re.compile(f"'* *[\t\r\n{_STARTS}]")
_QUOTED_FORMULA: Final = re.compile(f"'+ *[\t\r\n{_STARTS}]")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{3,19}(?:(?:;ext=| ext\. )[0-9]{1,10})?")
"""A phone number: digits cannot run."""


@dataclass(frozen=True, slots=True)
class FormulaGuard:
    """Makes text inert in spreadsheets, and restores it.

    Attributes:
        after: finds where a formula would begin after a separator within a cell.
        quoted_after: finds the same with the apostrophe that was added.
    """

    after: re.Pattern[str]
    quoted_after: re.Pattern[str]

    @classmethod
    def of(cls, separators: str) -> "FormulaGuard":
        """Args: separators: characters that may end a cell before its end."""
        rest = f"('*)(?=[ \"]*[{_STARTS}])"
        return cls(re.compile(f"([{separators}]){rest}"), re.compile(f"([{separators}])'{rest}"))

    def neutralise(self, cell: str) -> str:
        """A cell that no spreadsheet runs as a formula: with an apostrophe before each character that starts one.

        Follows OWASP, "CSV Injection". A spreadsheet with another separator, such as a semicolon in Germany, splits a
        cell, so that formulas may begin within it. `restore` undoes it, for every text.
        """
        inert = self.after.sub(r"\1'\2", cell)
        return f"'{inert}" if _FORMULA.match(cell) and not _PHONE.fullmatch(cell) else inert

    def restore(self, cell: str) -> str:
        """The original value of a cell that `neutralise` changed."""
        text = self.quoted_after.sub(r"\1\2", cell)
        return text[1:] if _QUOTED_FORMULA.match(cell) else text


USUAL_GUARD: Final = FormulaGuard.of(";\t\r\n")
GUARD_WITH_COMMA: Final = FormulaGuard.of(",;\t\r\n")


def neutralise(cell: str) -> str:
    """A cell of a comma-separated file, made inert: see `FormulaGuard`."""
    return USUAL_GUARD.neutralise(cell)


def restore(cell: str) -> str:
    """The original value of a cell that `neutralise` changed."""
    return USUAL_GUARD.restore(cell)
