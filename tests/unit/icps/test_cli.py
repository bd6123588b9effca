"""`leadflood icp` without a database."""

import json
from pathlib import Path

from typer.testing import CliRunner

from leadflood.cli import app
from leadflood.kernel.errors import InvalidInput

runner = CliRunner()


def test_a_template_is_checked_and_scores_facts_of_a_file(tmp_path: Path) -> None:
    profile, facts = tmp_path / "profile.yaml", tmp_path / "lead.json"
    profile.write_text(runner.invoke(app, ["icp", "template", "b2b_saas"]).stdout, "utf-8")
    facts.write_text(json.dumps({"lead.country": "DE", "lead.seniority": "head", "company.employees": 120}), "utf-8")

    checked = runner.invoke(app, ["icp", "check", str(profile)])
    scored = runner.invoke(app, ["icp", "score", str(profile), "--facts", str(facts)])
    as_json = json.loads(runner.invoke(app, ["icp", "score", str(profile), "--facts", str(facts), "--json"]).stdout)

    assert checked.stdout == "B2B software buyers is valid: criteria 7, gates 2, tiers A, B, C.\n"
    assert "B, 65 points, could become 65 to 100; 4 of 7 unknown." in scored.stdout
    assert "A with 80 points: Software or internet" in scored.output
    assert (as_json["score"], as_json["best"], len(as_json["gates"])) == (65, "A", 2)
    assert sum(group["points"] for group in as_json["groups"]) == as_json["score"]


def test_facts_and_names_that_do_not_exist_are_refused_in_words(tmp_path: Path) -> None:
    profile, facts = tmp_path / "profile.yaml", tmp_path / "lead.json"
    profile.write_text(runner.invoke(app, ["icp", "template", "agencies"]).stdout, "utf-8")
    facts.write_text(json.dumps({"lead.contry": "DE", "company.employees": "many"}), "utf-8")

    refused = runner.invoke(app, ["icp", "score", str(profile), "--facts", str(facts)])

    assert isinstance(refused.exception, InvalidInput)
    assert [fault.pointer for fault in refused.exception.errors] == ["/lead.contry", "/company.employees"]
    assert runner.invoke(app, ["icp", "template", "banks"]).exit_code == 2


def test_all_facts_are_listed_with_their_comparisons() -> None:
    listed = runner.invoke(app, ["icp", "fields", "--json"]).stdout.splitlines()

    employees = next(each for each in map(json.loads, listed) if each["key"] == "company.employees")
    assert employees["operators"] == "between, atLeast, atMost, is, known"
