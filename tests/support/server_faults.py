"""Failures of a PostgreSQL server: a backend or the postmaster killed, as when memory runs out."""

from random import Random

import psutil

from leadflood.kernel.db.embedded import EmbeddedPostgres


def backends(postmaster: int) -> list[psutil.Process]:
    """The processes of a server that serve a client."""
    found = []
    for child in psutil.Process(postmaster).children():
        try:
            if "[local]" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def kill_backend(postmaster: int, random: Random) -> int | None:
    """SIGKILL to one backend: PostgreSQL then ends all others, and recovers. Its process id; None without any."""
    serving = backends(postmaster)
    if not serving:
        return None
    victim = random.choice(serving)
    victim.kill()
    return victim.pid


def kill_postmaster(server: EmbeddedPostgres) -> None:
    """SIGKILL to the postmaster of a server that this process started; `start` brings it back."""
    process = server._process
    assert process is not None
    process.kill()
    process.wait()
