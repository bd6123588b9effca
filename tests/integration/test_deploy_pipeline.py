"""`deploy/pipeline` against a registry, a webhook and an environment on loopback, run as the workflow runs it."""

import os
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from tests.architecture.source import ROOT
from tests.support.fake_deployment import PASSWORD, SECRET, Fake, digest, fake_deployment

DEPLOYED, ROLLED_BACK, BROKEN, USAGE = 0, 1, 2, 64


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_deployment() as served:
        yield served


def deploy(
    fake: Fake, action: str, wanted: str = "", environ: Mapping[str, str] | None = None, *, patient: bool = True
) -> tuple[int, str]:
    """Run the command that the workflow runs. Returns its exit code and what it printed."""
    limits = ["--poll-seconds", "0.01", "--smoke-seconds", "0", *([] if patient else ["--deploy-seconds", "0.3"])]
    said = {"ACTION": action, "ENVIRONMENT": "staging", "DIGEST": wanted, "DEPLOY_ID": "run-1"}
    github = {"GITHUB_REPOSITORY": "Acme/LeadFlood", "REGISTRY": fake.url.removeprefix("http://")}
    done = subprocess.run(
        [str(ROOT / "deploy/run-pipeline.sh"), *limits],
        env={"PATH": os.environ["PATH"], **fake.environ, **github, **said, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert SECRET not in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def release(fake: Fake, wanted: str, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    return deploy(fake, "release", wanted, environ)


def test_an_image_that_works_becomes_the_good_one_only_after_the_smoke_checks(fake: Fake) -> None:
    old, new = fake.push("old", "staging-good"), fake.push("new")

    code, said = release(fake, new)

    assert code == DEPLOYED, said
    assert fake.running == new
    assert fake.events == ["post run-1", f"deployed {new}", f"tag staging-previous {old}", f"tag staging-good {new}"]


def test_the_first_release_of_an_environment_needs_no_good_image(fake: Fake) -> None:
    new = fake.push("new")

    assert release(fake, new)[0] == DEPLOYED
    assert fake.tagged("staging-good") == new
    assert fake.tagged("staging-previous") is None


def test_a_release_that_fails_its_smoke_checks_is_rolled_back_to_the_last_good_one(fake: Fake) -> None:
    old, new = fake.push("old", "staging-good"), fake.push("new")
    fake.broken.add(new)

    code, said = release(fake, new)

    assert code == ROLLED_BACK
    assert "database: The database does not answer." in said
    assert fake.running == old
    assert fake.events == ["post run-1", f"deployed {new}", "post run-1-rollback", f"deployed {old}"]
    assert fake.tagged("staging-good") == old


@pytest.mark.parametrize("fault", ["refused", "html", "no workers", "unknown release"])
def test_whatever_goes_wrong_leaves_the_good_tag_where_it_is(fake: Fake, fault: str) -> None:
    old, new = fake.push("old", "staging-good"), fake.push("new")
    fake.running = old
    match fault:
        case "refused":
            fake.refused.add(new)
        case "html":
            fake.html_instead = True
        case "no workers":
            fake.workers = 0
        case "unknown release":
            fake.deployments["run-1"] = {"state": "succeeded"}  # it says so, and does nothing

    code, _ = release(fake, new)

    # If the fault persists, the rollback meets it as well.
    assert code == {"refused": ROLLED_BACK, "unknown release": ROLLED_BACK}.get(fault, BROKEN)
    assert fake.tagged("staging-good") == old
    assert fake.events[0] == "post run-1"
    assert "post run-1-rollback" in fake.events


def test_a_deployment_that_never_ends_is_rolled_back(fake: Fake) -> None:
    old, new = fake.push("old", "staging-good"), fake.push("new")
    fake.stuck.add(new)

    code, said = deploy(fake, "release", new, patient=False)

    assert code == ROLLED_BACK, said
    assert "did not end within 0.3 s" in said
    assert fake.running == old


def test_without_a_digest_the_good_image_of_staging_is_released(fake: Fake) -> None:
    good = fake.push("good", "staging-good")

    code, said = deploy(fake, "release", environ={"ENVIRONMENT": "production"})

    assert code == DEPLOYED, said
    assert (fake.running, fake.tagged("production-good")) == (good, good)


def test_a_rollback_that_fails_asks_for_a_person(fake: Fake) -> None:
    old, new = fake.push("old", "staging-good"), fake.push("new")
    fake.broken |= {old, new}

    code, said = release(fake, new)

    assert code == BROKEN
    assert f"The rollback to {old} failed, too. Check the environment by hand." in said
    assert fake.tagged("staging-good") == old


def test_without_a_good_image_a_failure_says_that_there_is_nothing_to_roll_back_to(fake: Fake) -> None:
    new = fake.push("new")
    fake.broken.add(new)

    code, said = release(fake, new)

    assert code == BROKEN
    assert "no image tagged staging-good" in said
    assert fake.tagged("staging-good") is None


def test_a_webhook_that_stumbles_is_asked_again_and_deploys_once(fake: Fake) -> None:
    new = fake.push("new")
    fake.answers = [503, 429, 500]

    assert release(fake, new)[0] == DEPLOYED
    assert fake.events.count(f"deployed {new}") == 1
    assert fake.events.count("post run-1") > 1


def test_a_rollback_by_hand_goes_to_the_image_before_the_good_one_or_to_the_one_named(fake: Fake) -> None:
    oldest, old, new = fake.push("oldest"), fake.push("old", "staging-previous"), fake.push("new", "staging-good")

    assert deploy(fake, "rollback")[0] == DEPLOYED
    assert (fake.running, fake.tagged("staging-good"), fake.tagged("staging-previous")) == (old, old, new)
    fake.deployments.clear()
    assert deploy(fake, "rollback", oldest)[0] == DEPLOYED
    assert (fake.running, fake.tagged("staging-good")) == (oldest, oldest)
    fake.deployments.clear()
    fake.broken.add(new)
    assert deploy(fake, "rollback", new)[0] == BROKEN
    assert fake.tagged("staging-good") == oldest


def test_wrong_settings_are_named_before_anything_is_sent(fake: Fake) -> None:
    new = fake.push("new")
    cases = {
        "DEPLOY_WEBHOOK_URL must be an https:// address": {"DEPLOY_WEBHOOK_URL": "http://deploy.example.com/hook"},
        "DEPLOY_WEBHOOK_SECRET must be whsec_": {"DEPLOY_WEBHOOK_SECRET": "hunter2"},
        "Set DEPLOY_WEBHOOK_SECRET, SMOKE_URL": {"DEPLOY_WEBHOOK_SECRET": "", "SMOKE_URL": ""},
        "SMOKE_URL must be an https:// address": {"SMOKE_URL": "http://leads.example.com"},
    }

    for message, environ in cases.items():
        code, said = release(fake, new, environ)
        assert (code, message in said) == (USAGE, True), said
    code, said = release(fake, "latest")
    assert (code, "--digest: give sha256:" in said) == (USAGE, True)
    code, said = deploy(fake, "rollback")
    assert (code, "no image tagged staging-previous" in said) == (USAGE, True)
    assert fake.events == []


def test_a_wrong_password_of_the_registry_stops_before_the_webhook(fake: Fake) -> None:
    code, said = release(fake, fake.push("new"), {"REGISTRY_PASSWORD": "wrong"})

    assert code == BROKEN
    assert "The registry refused to get a token: 403" in said
    assert fake.events == []


def test_an_image_that_the_registry_lacks_is_not_deployed(fake: Fake) -> None:
    code, said = release(fake, digest("never pushed"))

    assert code == USAGE
    assert "The registry has no image sha256:" in said
    assert fake.events == []
