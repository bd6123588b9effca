"""Validation of identity's JSON input, read in Python as the API does, and its error messages."""

from typing import Any

import pytest
from pydantic import ValidationError

from leadflood.domains.identity.contracts import (
    AddMember,
    ApiKeyCreated,
    ChangePassword,
    CreateApiKey,
    Login,
    Refresh,
    SetPassword,
    TokensView,
)
from leadflood.kernel.schema import Schema, field_errors

PASSWORD = "seven purple walruses"


def faults(contract: type[Schema], body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        contract.model_validate(body)
    return [(fault.pointer, fault.code) for fault in field_errors(caught.value)]


def test_json_strings_become_ids_times_and_scopes() -> None:
    login = Login.model_validate(
        {"email": "Ada@ACME.com", "password": "x", "workspaceId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"}
    )
    key = CreateApiKey.model_validate(
        {"name": "Robot", "scopes": ["leads:write", "leads:read"], "expiresAt": "2030-01-01T01:00:00+01:00"}
    )

    assert (login.email.norm, str(login.workspace_id)) == ("ada@acme.com", "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10")
    assert [scope.value for scope in key.scopes] == ["leads:read", "leads:write"]
    assert key.expires_at is not None
    assert key.expires_at.isoformat() == "2030-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("contract", "body", "expected"),
    [
        (Login, {}, [("/email", "required"), ("/password", "required")]),
        (Login, {"email": "ada", "password": ""}, [("/email", "invalid_format"), ("/password", "too_short")]),
        (Login, {"email": 1, "password": "x" * 1025}, [("/email", "wrong_type"), ("/password", "too_long")]),
        (Login, {"email": "a@acme.com", "password": "\ud800"}, [("/password", "invalid_characters")]),
        (Login, {"email": "a@acme.com", "password": "x", "workspaceId": "1"}, [("/workspaceId", "invalid_format")]),
        (Refresh, {"refreshToken": "x" * 201}, [("/refreshToken", "too_long")]),
        (ChangePassword, {"currentPassword": "x", "newPassword": "short"}, [("/newPassword", "too_short")]),
        (AddMember, {"email": "a@acme.com", "role": "god"}, [("/role", "not_allowed")]),
        (
            SetPassword,
            {"email": "ada.lovelace@acme.com", "password": "Ada.Lovelace@acme.com"},
            [("/password", "weak_password")],
        ),
        (CreateApiKey, {"name": "x", "scopes": []}, [("/scopes", "too_short")]),
        (CreateApiKey, {"name": "x", "scopes": ["account"]}, [("/scopes", "not_allowed")]),
        (CreateApiKey, {"name": "x", "scopes": ["leads:all"]}, [("/scopes/0", "not_allowed")]),
        (CreateApiKey, {"name": "x", "scopes": ["leads:read"] * 99}, [("/scopes", "too_long")]),
        *(
            (
                CreateApiKey,
                {"name": "x", "scopes": ["leads:read"], "expiresAt": time},
                [("/expiresAt", "wrong_type" if isinstance(time, int) else "invalid_format")],
            )
            for time in ("2030-01-01T00:00:00", "tomorrow", 1893456000, "0001-01-01T00:00:00+12:00", "9" * 10_000)
        ),
    ],
)
def test_each_fault_is_named(contract: type[Schema], body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults(contract, body) == expected


@pytest.mark.parametrize(
    ("contract", "body"),
    [
        (Login, {"email": "a@acme.com", "password": PASSWORD}),
        (Refresh, {"refreshToken": PASSWORD}),
        (ChangePassword, {"currentPassword": PASSWORD, "newPassword": PASSWORD}),
        (SetPassword, {"email": "a@acme.com", "password": PASSWORD}),
    ],
)
def test_a_secret_is_not_shown_when_its_contract_is_logged(contract: type[Schema], body: dict[str, Any]) -> None:
    assert PASSWORD not in repr(contract.model_validate(body))


def test_answers_do_not_show_their_secrets_when_they_are_logged() -> None:
    tokens = TokensView(access_token=PASSWORD, refresh_token=PASSWORD, expires_in=1, refresh_expires_in=1)

    assert PASSWORD not in repr(tokens)
    assert tokens.model_dump()["accessToken"] == PASSWORD
    assert not ApiKeyCreated.model_fields["token"].repr
