"""Errors of the operating system as one sentence with the remedy instead of a traceback."""

import errno
from collections.abc import Mapping

from leadflood.kernel.errors import AppError

_ACCOUNT = (
    "Run LEAD-FLOOD as the account that owns it, or set LEADFLOOD_HOME to a folder that this account can write to."
)
_REMEDIES: Mapping[int, str] = {
    errno.EROFS: "Mount it writable, or set LEADFLOOD_HOME to a folder on a writable disk.",
    errno.EACCES: _ACCOUNT,
    errno.EPERM: _ACCOUNT,
    errno.ENOSPC: "Free some space on that disk, then run the command again.",
    errno.EDQUOT: "Free some space within the quota, then run the command again.",
    errno.ENOTDIR: "A file is where a folder should be. Check LEADFLOOD_HOME.",
    errno.EISDIR: "A folder is where a file should be. Check the path.",
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.ELOOP: "Check the symbolic links of the path.",
    errno.EIO: "Check the disk.",
    errno.ESTALE: "Mount the network file system again.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
    errno.ENFILE: "Raise the system's limit of open files (fs.file-max).",
    errno.ENOMEM: "Free some memory.",
}


class SystemRefusal(AppError):
    """The operating system refused an operation for a reason that the user can fix."""

    code = "system_refusal"
    status = 500
    title = "Refused by the operating system"


def explained(error: OSError) -> SystemRefusal | None:
    """A sentence with the remedy; None if the error is a bug of the program."""
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    where = " and ".join(names) or "This machine"
    return SystemRefusal(f"{where}: {error.strerror}. {remedy}")
