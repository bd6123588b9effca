"""Stages: keys, names, defaults and limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID, uuid5

from leadflood.kernel.colors import Color
from leadflood.kernel.text import clean_line, search_key

MAX_STAGES: Final = 50
"""Stages of a workspace, archived ones included."""
MAX_NAME: Final = 50

_DEFAULTS: Final = (
    ("New", Color.BLUE),
    ("Working", Color.ORANGE),
    ("Qualified", Color.PURPLE),
    ("Customer", Color.GREEN),
    ("Disqualified", Color.GRAY),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage. `key` is what leads store; it never changes. `position`: its place in the list, from 0."""

    id: UUID
    key: str
    name: str
    color: Color
    position: int
    archived: bool = False
    version: int = 1


@dataclass(frozen=True)
class StageList:
    """The stages of a workspace, in order."""

    items: Sequence[Stage]

    @cached_property
    def by_key(self) -> dict[str, Stage]:
        """All stages, archived ones included."""
        return {stage.key: stage for stage in self.items}

    @property
    def active(self) -> list[Stage]:
        """The stages that are offered."""
        return [stage for stage in self.items if not stage.archived]

    @cached_property
    def keys_by_word(self) -> dict[str, str]:
        """Keys by what stages are called: their keys and the keys of their names."""
        names = {stage_key(stage.name): stage.key for stage in self.items}
        return names | {stage.key: stage.key for stage in self.items}

    @property
    def labels(self) -> dict[str, str]:
        """Names of all stages by key."""
        return {stage.key: stage.name for stage in self.items}

    def key_of(self, text: str) -> str | None:
        """The key of the stage with this key or name, ignoring case and accents; None if there is none."""
        return self.keys_by_word.get(stage_key(text))

    def choices(self, stored: str = "") -> list[tuple[str, str]]:
        """Keys and names of the stages that are offered, and of the one that is stored."""
        return [(stage.key, stage.name) for stage in self.items if not stage.archived or stage.key == stored]


def default_stages(workspace_id: UUID) -> list[Stage]:
    """The stages of a workspace that has changed none of them."""
    return [
        Stage(uuid5(workspace_id, stage_key(name)), stage_key(name), name, color, position)
        for position, (name, color) in enumerate(_DEFAULTS)
    ]


def stage_key(text: str) -> str:
    """The key of a stage with this name: "Demo booked" is `demo-booked`. Of a key, the key itself.

    Raises: InvalidValue: the text is blank or too long.
    """
    name = clean_line(text, max_length=MAX_NAME)
    return "-".join(_words(search_key(name)))[:MAX_NAME].strip("-") or name.casefold()[:MAX_NAME]


def _words(text: str) -> Iterable[str]:
    return "".join(char if char.isalnum() else " " for char in text).split()
