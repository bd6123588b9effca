"""Commands run as in the tests of the command line."""

from tests.integration.cli.conftest import command_environment, terminal

__all__ = ["command_environment", "terminal"]
