"""The searched text of a lead, built in Python to compare it with the database's."""

from leadflood.kernel.text import search_key


def search_text(first_name: str | None, last_name: str | None, email: str, company: str | None) -> str:
    r"""The search keys of name, email and company, one a line.

    First and last name share a line, so that "ada lovelace" finds a lead as a phrase. A key never contains `\n`, so no
    query can match from the end of one line into the next.
    """
    name = " ".join(part for part in (first_name, last_name) if part)
    return "\n".join(key for key in map(search_key, (name, email, company or "")) if key)
