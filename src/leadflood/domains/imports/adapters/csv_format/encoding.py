"""Encodings of text files, and stray bytes in UTF-8 files."""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import ENCODINGS
from leadflood.kernel.decoding import NotText, marked_encoding, wide_encoding

_LOOKED_AT: Final = 64 * 1024
_LAST_OF_ASCII: Final = 0x7F
_MIN_BYTES: Final = 8
_OTHER_SCRIPTS: Final = {
    codecs.lookup(name).name: name
    for name in ENCODINGS
    if name not in ("windows-1252", "windows-1250", "windows-1254", "windows-1257", "mac-roman")
    and not name.startswith("utf")
}
_TRIED: Final = ["cp1252", "cp1250", *_OTHER_SCRIPTS]
_REPAIR: Final = "leadflood.windows_1252"
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    invalid = error.object[error.start : error.end]
    return invalid.decode("cp1252", "replace"), error.end


codecs.register_error(_REPAIR, _as_windows_1252)


class Utf8Check:
    """Check of a file in pieces: whether it is UTF-8, and the number of its invalid bytes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.invalid = 0
        """Number of bytes that are not valid UTF-8."""
        self._valid = 0

    def add(self, data: bytes, *, final: bool = False) -> None:
        """Process the next bytes."""
        text = self._decoder.decode(data, final)
        if text.isascii():
            return
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        try:
            text.encode()
            invalid = 0
        except UnicodeEncodeError:
            invalid = len(_ESCAPED.findall(text))
        self.invalid += invalid
        self._valid += beyond - invalid

    @property
    def utf8(self) -> bool:
        """Whether to read the file as UTF-8: at least half of the characters beyond ASCII are valid.

        In other encodings, hardly any two bytes form a valid character.
        """
        return self._valid >= self.invalid


def encoding_of(sample: bytes, *, utf8: bool) -> str:
    """The encoding of a text by its first bytes. `utf8`: whether the whole of it is to be read as UTF-8.

    Raises: UnreadableFile: it is not text.
    """
    start = sample[:_LOOKED_AT]
    try:
        unicode = marked_encoding(start) or wide_encoding(start)
    except NotText as error:
        message = "This isn't a text file. Save the table as CSV (UTF-8) or XLSX."
        raise UnreadableFile(message) from error
    return unicode or ("utf-8" if utf8 else _eight_bits(start))


def decoded(sample: bytes, encoding: str) -> str:
    """The text of the first bytes of a file, without a character that is cut off at the end.

    Raises: UnreadableFile.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)(strictness(encoding)).decode(sample)
    except UnicodeDecodeError as error:
        raise undecodable(encoding) from error
    return text.removeprefix("\ufeff").replace("\0", "")


def strictness(encoding: str) -> str:
    """The error handler for bytes that are invalid in an encoding.

    In UTF-8 they are decoded as Windows-1252, their most frequent origin. Other Unicode encodings are strict. Legacy
    encodings have undefined bytes that occur in files anyway: those characters are lost in any case.
    """
    if encoding == "utf-8":
        return _REPAIR
    return "strict" if encoding.startswith("utf") else "replace"


def undecodable(encoding: str) -> UnreadableFile:
    """The error for a file that is not in this encoding."""
    message = f"The file isn't entirely {encoding}. Choose another encoding, such as windows-1252, or save it as UTF-8."
    return UnreadableFile(message)


def _eight_bits(start: bytes) -> str:
    """Windows-1252, which old exports use, unless there is enough text to recognize another script.

    The encodings of Latin script cannot be distinguished by their bytes: users of the others choose theirs by hand.
    """
    if sum(byte > _LAST_OF_ASCII for byte in start) < _MIN_BYTES:
        return "windows-1252"
    found = {codecs.lookup(match.encoding).name: match.chaos for match in from_bytes(start, cp_isolation=_TRIED)}
    best = min(found, key=lambda name: found[name], default="cp1252")
    clearly = best in _OTHER_SCRIPTS and found.get("cp1252", 1.0) > found[best]
    return _OTHER_SCRIPTS[best] if clearly else "windows-1252"
