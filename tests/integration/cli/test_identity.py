import getpass
import json
from uuid import UUID

import pytest

from leadflood.domains.identity.contracts import AuditEventView
from leadflood.domains.identity.errors import InvalidToken
from leadflood.domains.identity.service import access
from leadflood.domains.invitations import service as invitations
from leadflood.domains.invitations.contracts import CreateInvitation
from leadflood.domains.invitations.models import LINK
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from tests.integration.cli.conftest import PASSWORD, Terminal
from tests.support.trail import events_of


async def test_a_key_is_shown_once_works_and_ends_when_it_is_revoked(terminal: Terminal, database: Database) -> None:
    done = terminal.here("key", "create", "Web form", "--scope", "leads:write", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)

    caller = (await access.authenticate(database, made["token"])).actor
    assert caller.workspace_id == terminal.workspace_id
    assert caller.permissions == {LEADS_WRITE}
    listed = terminal.here("key", "list")
    assert "Web form" in listed.stdout
    assert made["token"] not in listed.stdout

    assert terminal.here("key", "revoke", made["apiKey"]["id"]).returncode == 0
    with pytest.raises(InvalidToken):
        await access.authenticate(database, made["token"])


def test_a_scope_that_does_not_exist_is_refused(terminal: Terminal) -> None:
    done = terminal.here("key", "create", "Web form", "--scope", "leads:own")

    assert done.returncode == 1
    assert "/scopes" in done.stderr


def test_a_user_is_created_with_a_password_from_standard_input_and_added(terminal: Terminal) -> None:
    email = f"u{new_id().hex}@acme.test"
    made = terminal.run("user", "create", email, "--name", "Zoë", "--password-stdin", text=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr

    added = terminal.here("user", "add-to-workspace", email, "--role", "viewer", "--json")
    assert json.loads(added.stdout)["role"] == "viewer"
    assert terminal.here("user", "add-to-workspace", email).returncode == 1
    assert terminal.run("user", "disable", email).returncode == 0
    listed = terminal.run("user", "list", "--json", "--all").stdout.splitlines()
    assert [json.loads(line)["disabledAt"] is None for line in listed if email in line] == [False]
    assert terminal.run("user", "enable", email).returncode == 0


def test_a_weak_password_is_refused_and_none_is_taken_from_a_pipe_unasked(terminal: Terminal) -> None:
    weak = terminal.run("user", "set-password", terminal.owner, "--password-stdin", text="password1234\n")
    assert weak.returncode == 1
    assert "/password" in weak.stderr

    unasked = terminal.run("user", "set-password", terminal.owner, text=f"{PASSWORD}\n")
    assert unasked.returncode == 2
    assert "--password-stdin" in unasked.stderr


def test_a_workspace_is_created_and_found_by_its_name(terminal: Terminal) -> None:
    name = f"Überseehafen {new_id().hex}"
    made = terminal.run("workspace", "create", name, "--owner", terminal.owner, "--json")
    assert made.returncode == 0, made.stderr

    assert terminal.run("lead", "list", "--workspace", name).returncode == 0
    several = terminal.run("lead", "list")
    assert several.returncode == 1
    assert "--workspace" in several.stderr


async def test_what_is_done_to_users_and_workspaces_is_audited_with_the_account_that_did_it(
    terminal: Terminal, database: Database
) -> None:
    newcomer, password = f"u{new_id().hex}@acme.test", {"text": "eleven green otters\n"}
    created = terminal.run(
        "user", "create", newcomer, "--name", "Zoë", "--password-stdin", "--json", text=f"{PASSWORD}\n"
    )
    made = terminal.run("workspace", "create", "Second", "--owner", terminal.owner, "--json")
    workspace_id = UUID(json.loads(made.stdout)["id"])
    assert terminal.run("user", "set-password", terminal.owner, "--password-stdin", **password).returncode == 0
    for verb in (["disable"], ["enable"], ["operator", "grant"], ["operator", "revoke"], ["unlock"]):
        assert terminal.run("user", *verb, terminal.owner).returncode == 0

    def told(events: list[AuditEventView]) -> list[tuple[str, str, object]]:
        return [(event.action, event.actor.kind, event.data.get("osUser")) for event in events]

    verbs = ("password.set", "user.disabled", "user.enabled", "user.operator_granted", "user.operator_revoked")
    expected = [(action, "cli", getpass.getuser()) for action in ("workspace.created", *verbs, "user.unlocked")]
    assert told(await events_of(database, workspace_id)) == expected
    system = await events_of(database, SYSTEM_WORKSPACE_ID)
    subject = UUID(json.loads(created.stdout)["id"])
    assert told([item for item in system if item.subject_id == subject]) == [("user.created", *expected[0][1:])]


def test_operators_are_granted_listed_and_revoked(terminal: Terminal) -> None:
    def is_operator() -> bool:
        listed = terminal.run("user", "list", "--json", "--all").stdout.splitlines()
        return [json.loads(line)["isOperator"] for line in listed if terminal.owner in line] == [True]

    assert not is_operator()
    assert terminal.run("user", "operator", "grant", terminal.owner).returncode == 0
    assert is_operator()
    assert "operator" in terminal.run("user", "list").stdout.splitlines()[0]
    assert terminal.run("user", "operator", "revoke", terminal.owner).returncode == 0
    assert not is_operator()

    for email in ("nobody@acme.test", "no address"):
        refused = terminal.run("user", "operator", "grant", email)
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)


async def test_the_operator_sees_the_links_of_mails_that_never_left(terminal: Terminal, database: Database) -> None:
    secret_box = SecretBox(terminal.env["LEADFLOOD_SECRET_KEY"])
    email = f"g{new_id().hex}@acme.test"
    wanted = CreateInvitation.model_validate({"email": email, "role": "viewer"})
    async with database.transaction(terminal.workspace_id) as tx:
        made = await invitations.invite(tx, Actor.cli(terminal.workspace_id), secret_box, command=wanted)

    shown = terminal.run("user", "links", email.upper())
    nothing = terminal.run("user", "links", terminal.owner)

    assert shown.stdout.strip().endswith(f"/invitations/{LINK.token(secret_box, made.id, 1)}")
    assert (nothing.returncode, nothing.stdout) == (0, "")
