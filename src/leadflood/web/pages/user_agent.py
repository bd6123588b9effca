"""Names of programs from user agents, in familiar words."""

_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
)
"""A part of the header and its program: browsers also name others, so the order matters."""
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_MAX_LENGTH = 60


def device_of(user_agent: str | None) -> str:
    """Such as `Firefox on Linux`; the start of the header if nothing in it is known."""
    text = user_agent or ""
    program = next((name for part, name in _PROGRAMS if part in text), None)
    system = next((name for part, name in _SYSTEMS if part in text), None)
    if program and system:
        return f"{program} on {system}"
    return program or system or text[:_MAX_LENGTH] or "Unknown program"
