"""The fields of a lead are listed in the catalogue, and not again in other files.

A file that names four or more of them is found by its syntax tree or its SQL. Exempt are migrations, which are history,
the catalogue itself, the statements of leads, and what is built. The few others stand below with their reasons.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from leadflood.domains.leads.catalog import LEAD_FIELDS

ROOT = Path("src/leadflood")
EXEMPT = (
    "migrations/",
    "domains/leads/catalog.py",
    "domains/leads/sql/",
    "domains/leads/store/",
    "domains/leads/queries/",
    "web/static/",
)
TOLERATED = 3
ALLOWED = {
    "cli/exports.py": "the short form of a filter, as options",
    "demo/providers/abstract.py": "as apollo.py",
    "demo/providers/apollo.py": "replies of a provider, whose fields have names of their own",
    "demo/providers/hunter.py": "as above",
    "demo/providers/people.py": "persons that the twins of providers know",
    "demo/providers/people_data_labs.py": "replies of a provider, whose fields have names of their own",
    "demo/internet/registers.py": "columns of public registers, some with the names of a lead's",
    "domains/duplicates/models/people.py": "names, company and phone are compared in ways of their own",
    "domains/enrichment/models/company_fields.py": "fields of companies, some with the names of a lead's",
    "domains/enrichment/models/fact_fields.py": "types of fields, some with the names of a lead's",
    "domains/enrichment/sources/abstract/source.py": "as that of Apollo",
    "domains/enrichment/sources/apollo/source.py": "which field of its records is which of ours",
    "domains/enrichment/sources/hunter/source.py": "as above",
    "domains/enrichment/sources/people_data_labs/source.py": "as above",
    "domains/enrichment/engine/lead_questions.py": "the fields of sources that leads have",
    "domains/enrichment/models/lead_fields.py": "fields that can be found, each with its kind",
    "domains/imports/contracts/__init__.py": "the defaults that an import has for new leads",
    "domains/imports/contracts/lead_row.py": "defaults of new leads, and phone numbers by country",
    "domains/imports/models/fields.py": "columns that are recognized by their cells, or split",
    "domains/icps/migrations/r0077_icps.py": "columns that scores are made of; a new one needs a revision",
    "domains/leads/contracts/__init__.py": "rules between fields, such as phone and country",
    "domains/leads/contracts/deleted.py": "what is left to see of a deleted lead",
    "domains/leads/contracts/filters.py": "orders, each of which has an index, and the short form of a filter",
    "domains/leads/service/__init__.py": "rules between fields, such as phone and country",
    "web/pages/lead_list_params.py": "the short form of a filter in a URL",
    "web/pages/leads_filter.py": "the short form of a filter in a URL",
    "web/templates/design.html": "samples of components",
}
"""Files in which four or more fields have a meaning of their own. A new field needs a line in none of them: see
docs/guides/add-a-field.md, which a test follows."""

_NAMES = {name: field.name for field in LEAD_FIELDS for name in (field.name, field.api_name)}
_WORD = re.compile(r"(?<![\w'\"])(?:[a-z]\.)?(" + "|".join(sorted(_NAMES)) + r")(?!\w)")
_IN_A_PAGE = re.compile(r"(?:['\"]|\w\.)(" + "|".join(sorted(_NAMES)) + r")(?!\w)")
"""Names in quotation marks and attributes, of templates and scripts."""
_SEPARATORS = re.compile(r"[\s,;|/]+")
_SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|WHERE)\b|, first_name\b")


def may_list_fields(path: Path) -> bool:
    """Whether enough words of a file are names of fields. Others need not be parsed."""
    return len({_NAMES[word] for word in re.findall(r"\w+", path.read_text("utf-8")) if word in _NAMES}) > TOLERATED


def named(path: Path) -> set[str]:
    """The fields that a file names."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return {_NAMES[name] for name in _of_tree(ast.parse(text))}
    found = _WORD if path.suffix == ".sql" else _IN_A_PAGE
    return {_NAMES[name] for name in found.findall(text)}


def _of_tree(tree: ast.AST) -> Iterator[str]:
    for node in _without_examples(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in _NAMES:
                yield node.value
            elif _SQL.search(node.value):
                yield from _WORD.findall(node.value)
            else:
                yield from _listed(node.value)
        elif isinstance(node, ast.MatchClass):
            yield from _NAMES.keys() & set(node.kwd_attrs)
        elif isinstance(node, ast.Attribute | ast.keyword | ast.arg | ast.AnnAssign):
            name = {"Attribute": "attr", "keyword": "arg", "arg": "arg"}.get(type(node).__name__)
            value = getattr(node, name) if name else getattr(getattr(node, "target", None), "id", None)
            if value in _NAMES:
                yield value


def _listed(text: str) -> Iterator[str]:
    """The fields of a text that is mostly a list of them, to be split."""
    words = [word for word in _SEPARATORS.split(text) if word]
    names = [word for word in words if word in _NAMES]
    if len(names) > 1 and len(names) * 2 > len(words):
        yield from names


def _without_examples(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but docstrings and the examples of the API's documentation."""
    for child in ast.iter_child_nodes(node):
        documents = isinstance(child, ast.keyword) and child.arg == "json_schema_extra"
        if documents or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            continue
        yield child
        yield from _without_examples(child)


def files() -> Iterator[tuple[str, Path]]:
    """Files to check, by their name below the package."""
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in {".py", ".sql", ".html", ".js"} and not name.startswith(EXEMPT):
            yield name, path


def test_a_file_that_lists_the_fields_of_a_lead_reads_them_from_the_catalogue() -> None:
    found = {name for name, path in files() if may_list_fields(path) and len(named(path)) > TOLERATED}

    assert found - set(ALLOWED) == set(), "read LEAD_FIELDS, or say why not in ALLOWED"
    assert set(ALLOWED) - found == set(), "they no longer need their exception"


def test_the_check_finds_lists_in_python_and_in_sql(tmp_path: Path) -> None:
    sql, code, page = tmp_path / "rows.sql", tmp_path / "rows.py", tmp_path / "rows.html"
    sql.write_text("SELECT l.email, l.first_name, last_name, owner_id FROM leads l")
    code.write_text("FIELDS = ['firstName', lead.company]\nread(phone=1)\nQUERY = 'SELECT country FROM leads'\n")

    assert named(sql) == {"email", "first_name", "last_name", "owner_id"}
    assert named(code) == {"first_name", "company", "phone", "country"}
    code.write_text("FIELDS = 'firstName lastName'.split()\ndef f(phone): ...\nmatch x:\n  case Lead(country=y): ...\n")
    page.write_text("{{ lead.company }} {{ lead['website'] }}")
    assert named(code) == {"first_name", "last_name", "phone", "country"}
    assert named(page) == {"company", "website"}
