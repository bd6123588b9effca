"""`python -m tests.support.sandbox_parent`: a parent whose child is busy for ever. Prints the child's process id."""

import asyncio
import sys
from tempfile import TemporaryFile

from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sandbox.protocol import TaskLimits
from tests.support.sandbox_tasks import spin


async def main() -> None:
    """Wait for the child, for ever."""
    sandbox = Sandbox(processes=1, preload=[])
    with TemporaryFile() as file:
        async with sandbox.process("a") as process:
            async for _ in process.run(spin, file, None, TaskLimits(memory=10**8, cpu=10**6, wall=10**6)):
                sys.stdout.write(f"{process.pid}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
