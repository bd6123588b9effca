"""Tokens that are computed, who may vouch for whom, and the mail."""

from datetime import UTC, datetime

import pytest

from leadflood.domains.invitations.models import LINK, InvitationEmail, PendingInvitation, invitation_mail, vouches
from leadflood.kernel.actor import Role
from leadflood.kernel.crypto import SecretBox, new_secret_key
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.ids import new_id

SEALER = SecretBox(new_secret_key())


def test_a_token_is_the_same_each_time_and_another_for_each_sending_invitation_and_key() -> None:
    one, other = new_id(), new_id()
    token = LINK.token(SEALER, one, 1)

    assert LINK.is_token(token)
    assert token == LINK.token(SEALER, one, 1)
    others = {LINK.token(SEALER, one, 2), LINK.token(SEALER, other, 1), LINK.token(SecretBox(new_secret_key()), one, 1)}
    assert len(others | {token}) == 4


def test_tokens_use_all_of_their_characters() -> None:
    tokens = [LINK.token(SEALER, new_id(), 1)[len(LINK.prefix) : -6] for _ in range(300)]

    assert {len(token) for token in tokens} == {32}
    assert all(len({token[place] for token in tokens}) > 40 for place in range(32))


@pytest.mark.parametrize(
    ("inviter", "roles"),
    [
        (Role.OWNER, {Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER}),
        (Role.ADMIN, {Role.ADMIN, Role.MEMBER, Role.VIEWER}),
        (Role.MEMBER, set()),
        (Role.VIEWER, set()),
    ],
)
def test_who_may_invite_vouches_for_what_may_be_given(inviter: Role, roles: set[Role]) -> None:
    assert {role for role in Role if vouches(inviter, role)} == roles


def invitation_email(inviter: str | None = "Ada", workspace: str = "Acme") -> InvitationEmail:
    pending = PendingInvitation(new_id(), new_id(), parse_email("grace@acme.com"), Role.MEMBER, 1)
    return InvitationEmail(pending, workspace, inviter, datetime(2026, 3, 8, 9, 30, tzinfo=UTC), False, b"")


def test_the_mail_says_the_same_in_text_and_html() -> None:
    mail = invitation_mail(invitation_email(), link=LINK.url("https://acme.com", "lfi_x"), key="k")

    for part in (mail.text, mail.html):
        assert "Ada invited you to Acme" in part
        assert "https://acme.com/invitations/lfi_x" in part
        assert "March 8, 2026, 09:30 UTC" in part
    assert (mail.key, mail.subject) == ("k", "Ada invited you to Acme on LEAD-FLOOD")


def test_names_cannot_become_html_and_the_command_line_has_none() -> None:
    mail = invitation_mail(invitation_email("<script>", '"><img src=x>'), link="https://acme.com/", key="k")

    assert "<script>" not in mail.html
    assert "<img" not in mail.html
    assert invitation_mail(invitation_email(None), link="x", key="k").text.startswith("You're invited to Acme")
