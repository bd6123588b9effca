"""Contracts of notes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.notes.models import MAX_TEXT, clean_text
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText

_Text = Annotated[str, FromText(clean_text, {"minLength": 1, "maxLength": MAX_TEXT})]


class WriteNote(Schema):
    """The text of a note: plain text of up to 10,000 characters, with line breaks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Met in Berlin. Wants a demo in May."}]})

    text: _Text


class NoteView(View):
    """A note. `version` is the value for `If-Match`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10",
                    "leadId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "text": "Met in Berlin. Wants a demo in May.",
                    "author": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "version": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "editedAt": None,
                }
            ]
        }
    )

    id: UUID
    lead_id: UUID
    text: str
    author: ActorView
    version: int
    created_at: datetime
    edited_at: datetime | None = Field(description="Time of the last edit of the text; null if none.")
