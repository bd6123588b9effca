"""Receipts say in plain words why a value was found, and how: for all sources, also for those to come."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadflood.domains.enrichment.sources as package
from leadflood.domains.enrichment.models.aliases import RedirectSign
from leadflood.domains.enrichment.models.methods import METHODS, UNKNOWN_METHOD
from leadflood.domains.enrichment.sources.dns import source as dns
from leadflood.domains.enrichment.sources.website import source as website
from leadflood.domains.enrichment.sources.zerobounce import source as zerobounce
from leadflood.domains.enrichment.technologies import detection
from leadflood.web import labels
from tests.support.receipts import ENGINE_WORDS, require_plain

FOLDER = Path(package.__file__).parent
PLACES = {"PageFact": 3, "add": 3, "_Finding": 3, "_guess": 3, "EmailVerdict": 2, "MarkupItem": 1, "Receipt": 0}
"""Place of the method among the arguments of each call."""


def _methods_in(tree: ast.AST) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        place = PLACES.get(name)
        given = [word.value for word in call.keywords if word.arg == "method"]
        if place is not None and len(call.args) > place:
            given.append(call.args[place])
        yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_method_that_a_source_names_has_a_label() -> None:
    named = {name for path in FOLDER.rglob("*.py") for name in _methods_in(ast.parse(path.read_text("utf-8")))}

    assert {"json_ld", "register", "provider", "mx", "title_words"} <= named
    assert named - set(METHODS) == set()


def test_every_method_that_is_computed_has_a_label() -> None:
    page_kinds = set(detection._CONFIDENCE) - {"txt", "spf", "mx", "ns"}
    computed = {f"technology_{kind}" for kind in page_kinds} | {f"dns_{kind}" for kind in dns._SIGNS}

    assert (computed | set(RedirectSign) | set(website._EVIDENCE)) - set(METHODS) == set()


@pytest.mark.parametrize("label", sorted({*METHODS.values(), UNKNOWN_METHOD}))
def test_labels_of_methods_have_no_engine_words(label: str) -> None:
    assert ENGINE_WORDS.search(label) is None
    assert label[0].isupper()
    assert not label.endswith(".")


@pytest.mark.parametrize(
    "sentence",
    sorted(
        {
            *website._EVIDENCE.values(),
            website._DEFAULT_EVIDENCE,
            website._technology_evidence("technology_ids"),
            website._technology_evidence("technology_implied"),
            *dns._SIGNS.values(),
            *zerobounce._SAYS.values(),
            *zerobounce._SUB_STATUSES.values(),
        }
    ),
)
def test_sentences_have_no_engine_words(sentence: str) -> None:
    require_plain("manual", sentence)


def test_every_verdict_of_zerobounce_has_its_words() -> None:
    assert set(zerobounce._SAYS) == set(zerobounce._VERDICTS)


def test_a_method_of_another_release_is_not_shown_by_its_name() -> None:
    assert labels.method("quantum_oracle") == UNKNOWN_METHOD
