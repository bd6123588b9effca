"""Texts about runs of rules."""

from typing import Any

import pytest

from leadflood.domains.rules.labels import action_text, condition_text, run_text
from leadflood.domains.rules.models import ActionType, Trigger

TAG = {"type": "addTag", "name": "Hot", "error": None}
OWNER = {"type": "assignOwner", "name": "", "error": None}
NOTHING = "Nothing done by rule “Hot leads”: entered tier A of Main."
GONE = {"type": "addToList", "name": "Calls", "error": "The list “Calls” was deleted."}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"actions": [TAG]}, "Tagged “Hot” by rule “Hot leads”: entered tier A of Main."),
        (
            {"actions": [OWNER, TAG], "trigger": "leaves"},
            "Assigned an owner, tagged “Hot” by rule “Hot leads”: left tier A of Main.",
        ),
        (
            {"actions": [GONE], "outcome": "failed"},
            f"{NOTHING} Failed: The list “Calls” was deleted.",
        ),
        (
            {"actions": [], "outcome": "stopped"},
            f"{NOTHING} The change followed from 3 rules that caused each other.",
        ),
    ],
)
def test_the_text_of_a_run_says_what_was_done_and_why(changed: dict[str, Any], text: str) -> None:
    data = {"rule": "Hot leads", "profile": "Main", "tier": "A", "trigger": "enters", "outcome": "done"}

    assert run_text({**data, **changed}) == text


def test_conditions_and_actions_are_named() -> None:
    assert condition_text(Trigger.LEAVES, "B", "Main") == "A lead leaves tier B of Main"
    assert action_text(ActionType.SET_STAGE, "Qualified") == "Set stage to Qualified"
