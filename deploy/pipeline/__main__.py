"""Deploy an image to an environment, check it, and roll back by itself when it does not work.

    python3 deploy/pipeline release  --environment staging --image ghcr.io/acme/leadflood --digest sha256:…
    python3 deploy/pipeline rollback --environment production --image ghcr.io/acme/leadflood

Needs Python 3.11 and nothing else. Secrets come from the environment: DEPLOY_WEBHOOK_URL, DEPLOY_WEBHOOK_SECRET,
SMOKE_URL, and REGISTRY_USER with REGISTRY_PASSWORD. deploy/README.md describes the contract with the webhook.

Exit codes: 0 the image runs; 1 it does not, and the environment runs what it ran before; 2 the rollback failed, too,
or there was nothing to roll back to: check the environment by hand; 64 wrong arguments or settings, nothing was done.
"""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry import Registry, RegistryError
from smoke import SmokeFailed, wait_until_healthy
from transport import require_https
from webhook import DeployFailed, Webhook

DEPLOYED, ROLLED_BACK, BROKEN, USAGE = 0, 1, 2, 64

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class UsageError(Exception):
    """An argument or a setting is missing or wrong."""


@dataclass(frozen=True)
class Target:
    """One environment: where it is deployed, how it is checked, and the tags that say what is good there."""

    environment: str
    webhook: Webhook
    smoke_url: str
    registry: Registry
    smoke_seconds: float

    @property
    def good(self) -> str:
        """The tag of the image that passed its smoke checks last."""
        return f"{self.environment}-good"

    @property
    def previous(self) -> str:
        """The tag of the image that was good before it."""
        return f"{self.environment}-previous"

    def put(self, digest: str, deploy_id: str) -> None:
        """Deploy an image and check it. Raises: DeployFailed, SmokeFailed, UsageError."""
        if self.registry.digest_of(digest) is None:
            raise UsageError(f"The registry has no image {digest}.")
        say(f"Deploying {digest} to {self.environment} ({deploy_id})")
        self.webhook.deploy(digest=digest, environment=self.environment, deploy_id=deploy_id)
        say(f"Checking {self.smoke_url}")
        wait_until_healthy(self.smoke_url, release=digest, seconds=self.smoke_seconds)

    def mark_good(self, digest: str) -> None:
        """Move `<environment>-good` to an image that works, and keep what was good as `<environment>-previous`."""
        before = self.registry.digest_of(self.good)
        if before == digest:
            return
        if before is not None:
            self.registry.tag(before, self.previous)
        self.registry.tag(digest, self.good)


def release(target: Target, digest: str, deploy_id: str) -> int:
    """Deploy `digest`; when it fails, deploy the last good image again. Returns the exit code."""
    last_good = target.registry.digest_of(target.good)
    say(f"Last good image of {target.environment}: {last_good or 'none'}")
    try:
        target.put(digest, deploy_id)
    except (DeployFailed, SmokeFailed) as error:
        say(f"FAILED: {error}")
        return _roll_back(target, last_good, deploy_id)
    target.mark_good(digest)
    say(f"Deployed. {target.good} is {digest}")
    return DEPLOYED


def rollback(target: Target, digest: str | None, deploy_id: str) -> int:
    """Deploy an earlier image by hand: `digest`, or the one that was good before the last. Returns the exit code."""
    wanted = digest or target.registry.digest_of(target.previous)
    if wanted is None:
        raise UsageError(f"There is no image tagged {target.previous}. Name one with --digest.")
    try:
        target.put(wanted, deploy_id)
    except (DeployFailed, SmokeFailed) as error:
        say(f"FAILED: {error}")
        say(f"The rollback of {target.environment} to {wanted} failed. Check the environment by hand.")
        return BROKEN
    target.mark_good(wanted)
    say(f"Rolled back. {target.good} is {wanted}")
    return DEPLOYED


def _roll_back(target: Target, last_good: str | None, deploy_id: str) -> int:
    if last_good is None:
        say(f"There is no image tagged {target.good} to roll back to. Check the environment by hand.")
        return BROKEN
    try:
        target.put(last_good, f"{deploy_id}-rollback")
    except (DeployFailed, SmokeFailed) as error:
        say(f"FAILED: {error}")
        say(f"The rollback to {last_good} failed, too. Check the environment by hand.")
        return BROKEN
    say(f"Rolled back to {last_good}, the last good image.")
    return ROLLED_BACK


def say(text: str) -> None:
    """Print one line of the log, now."""
    print(text, flush=True)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/pipeline", description="Deploy an image, check it, roll back.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, required in (("release", True), ("rollback", False)):
        command = commands.add_parser(name)
        command.add_argument("--environment", required=True, help="such as staging; part of the tags' names")
        command.add_argument(
            "--image", required=True, help="repository of the image, without tag: ghcr.io/acme/leadflood"
        )
        wanted = command.add_mutually_exclusive_group(required=required)
        wanted.add_argument("--digest", help="sha256:… of the image")
        wanted.add_argument("--digest-of", metavar="TAG", help="the image that this tag points to")
        command.add_argument("--deploy-id", required=True, help="unique; sent again, it starts nothing twice")
        command.add_argument("--deploy-seconds", type=float, default=900, help="limit of one deployment")
        command.add_argument("--poll-seconds", type=float, default=5, help="between two looks at its status")
        command.add_argument("--smoke-seconds", type=float, default=180, help="limit of the smoke checks")
    return parser.parse_args(argv)


def _target(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Target:
    if not _NAME.fullmatch(arguments.environment):
        raise UsageError("--environment: use a to z, digits and hyphens, such as staging.")
    if arguments.digest is not None and not _DIGEST.fullmatch(arguments.digest):
        raise UsageError("--digest: give sha256: and 64 hexadecimal digits.")
    missing = [name for name in ("DEPLOY_WEBHOOK_URL", "DEPLOY_WEBHOOK_SECRET", "SMOKE_URL") if not environ.get(name)]
    if missing:
        raise UsageError(f"Set {', '.join(missing)}.")
    try:
        return Target(
            arguments.environment,
            Webhook(
                environ["DEPLOY_WEBHOOK_URL"],
                environ["DEPLOY_WEBHOOK_SECRET"],
                seconds=arguments.deploy_seconds,
                poll_seconds=arguments.poll_seconds,
            ),
            require_https(environ["SMOKE_URL"].rstrip("/"), "SMOKE_URL"),
            Registry(arguments.image, environ.get("REGISTRY_USER", ""), environ.get("REGISTRY_PASSWORD", "")),
            arguments.smoke_seconds,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _wanted(target: Target, arguments: argparse.Namespace) -> str | None:
    """The digest that the arguments name; None where they name none."""
    digest: str | None = arguments.digest
    if arguments.digest_of is None:
        return digest
    found = target.registry.digest_of(arguments.digest_of)
    if found is None:
        raise UsageError(f"There is no image tagged {arguments.digest_of}.")
    return found


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command. Returns the exit code."""
    arguments = _arguments(argv)
    try:
        target = _target(arguments, environ)
        digest = _wanted(target, arguments)
        if arguments.command == "release" and digest is not None:
            return release(target, digest, arguments.deploy_id)
        return rollback(target, digest, arguments.deploy_id)
    except UsageError as error:
        say(f"error: {error}")
        return USAGE
    except RegistryError as error:
        say(f"error: {error}")
        return BROKEN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
