"""Colors of user-defined items, such as tags. Pages have a light and a dark shade of each."""

from enum import StrEnum


class Color(StrEnum):
    """A color. The values are stored, so their meaning must never change."""

    GRAY = "gray"
    RED = "red"
    ORANGE = "orange"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
