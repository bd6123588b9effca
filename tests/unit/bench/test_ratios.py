"""The arithmetic of reports: medians, ratios, aims, and how a run stands to the base line."""

from pathlib import Path

import pytest

from tests.bench import ratios
from tests.bench.ratios import Ratio, aims, compare
from tests.bench.rounds import Results, Run, take_turns


def run(label: str, **figures: float) -> Run:
    return Run(label, 1, figures, {"other": 0.0})


@pytest.fixture
def results() -> Results:
    imported = {"per_second": 10_000, "commit_per_second": 20_000, "undo_per_second": 8000, "commit_pg_us": 50}
    return Results(
        [
            run("floor: lead_tx", per_second=5000),
            run("post, worker off: leadflood", per_second=4000),
            run("post, worker off: seed stack, plain", per_second=400),
            run("post, worker off: seed stack, prepared", per_second=800),
            run("latency: leadflood", p99_ms=20),
            run("latency: seed stack, prepared", p99_ms=80),
            run("floor: COPY", per_second=40_000, pg_us=25),
            run("import", **imported, api_peak_mib=120, worker_peak_mib=310),
        ]
    )


def test_ratios_are_to_the_floor_the_best_peer_and_each_other(results: Results) -> None:
    assert {each.key: each.value for each in ratios.ratios(results)} == {
        "post, worker off ÷ floor": 0.8,
        "post, worker off ÷ peer": 5.0,
        "latency, p99 ÷ peer": 0.25,
        "import ÷ floor": 0.25,
        "import, commit alone ÷ floor": 0.5,
        "import, undo ÷ floor": 0.2,
        "import, undo ÷ import": 0.8,
        "import, commit, PostgreSQL's processor time ÷ floor": 2.0,
    }


def test_aims_are_met_or_missed(results: Results) -> None:
    assert {each.name: each.met for each in aims(results, 1_000_000)} == {
        "post, worker off ÷ peer": True,
        "post, worker off ÷ floor": False,
        "import ÷ floor": False,
        "import, undo ÷ import": False,
        "POST at 500 a second, p99 ms": True,
        "import, rows a second": False,
        "import, api, peak MiB": True,
        "import, worker, peak MiB": False,
    }


@pytest.mark.parametrize(
    ("now", "less_is_better", "verdict"),
    [
        (1.14, False, "same"),
        (0.86, False, "same"),
        (1.2, False, "better"),
        (0.8, False, "worse"),
        (1.2, True, "worse"),
        (0.8, True, "better"),
    ],
)
def test_a_ratio_is_judged_against_the_base_line(now: float, less_is_better: bool, verdict: str) -> None:
    compared = compare([Ratio("post", "floor", now, less_is_better)], {"post ÷ floor": 1.0})

    assert [each.verdict for each in compared] == [verdict]


def test_what_only_one_of_the_two_has_is_told() -> None:
    compared = compare([Ratio("post", "floor", 1.0)], {"drain ÷ floor": 2.0})

    assert [(each.key, each.verdict) for each in compared] == [
        ("post ÷ floor", "new"),
        ("drain ÷ floor", "not measured"),
    ]


def test_a_base_line_keeps_what_was_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratios, "BASELINE", tmp_path / "baseline.json")
    assert ratios.read_baseline() == {}

    ratios.write_baseline({"cores": 2}, [Ratio("post", "floor", 0.5), Ratio("drain", "floor", 0.25)], rounds=3)
    ratios.write_baseline({"cores": 2}, [Ratio("post", "floor", 0.6666)], rounds=3)

    assert ratios.read_baseline() == {"post ÷ floor": 0.667, "drain ÷ floor": 0.25}


def test_the_committed_base_line_names_ratios_that_a_run_can_have() -> None:
    assert set(ratios.read_baseline()) <= ratios.keys()


def test_a_disturbed_measurement_is_repeated_and_the_quieter_try_counts() -> None:
    tries = iter([({"per_second": 50.0}, {"other": 0.9}), ({"per_second": 100.0}, {"other": 0.1})])

    results = take_turns({"post": lambda: next(tries)}, rounds=1, repeats=1, told=lambda _: None)

    assert results.median("post", "per_second") == 100
