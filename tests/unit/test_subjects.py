"""Participants have different names, kinds of references and places."""

import pytest

from leadflood.kernel.db.sql import sql
from leadflood.kernel.subjects import Participant, Participants, Place

PLACE = Place(name="notes", table=sql("notes"), found=sql("true"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Participant(name="notes"), Participant(name="notes")),
        (Participant(name="notes", kinds={"note": "notes"}), Participant(name="tags", kinds={"note": "tags"})),
        (Participant(name="notes", places=[PLACE]), Participant(name="tags", places=[PLACE])),
    ],
    ids=["name", "kind of reference", "place"],
)
def test_two_participants_share_nothing(one: Participant, other: Participant) -> None:
    with pytest.raises(ValueError, match="share a name"):
        Participants("lead", [one, other])


def test_a_participant_takes_part_for_its_kind_of_subject_or_for_all() -> None:
    every = Participant(name="jobs", kinds={"job": "jobs"})
    companies = Participant(name="deals", subject="company", kinds={"deal": "deals"})

    assert Participants("lead", [every, companies]).kinds == {"job": "jobs"}
    assert Participants("company", [every, companies]).kinds == {"job": "jobs", "deal": "deals"}
