"""kill -9 of the worker at random points of an import's preview, commit and undo: each row is done once, or undone."""

from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from tests.support.deployment import Deployment
from tests.support.processes import Running, until

ROWS = 30_000
KNOWN = 3_000
KILLS = {"staging": 3, "committing": 4, "undoing": 3}
CHECKSUM = """
SELECT md5(string_agg(concat_ws('|', email, email_norm, first_name, company, phone, source, status, owner_id,
                                custom_fields, search_text), chr(10) ORDER BY email_norm))
FROM leads WHERE deleted_at IS NULL
"""


def row(number: int) -> str:
    """Most rows are new leads, some are known, some repeat an address, some have none."""
    address = "nobody" if number % 50 == 49 else f"lead{number - 1 if number % 25 == 24 else number}@acme.com"
    return f"{address},Name {number},Company {number % 700},pro"


def run(client: httpx.Client, import_id: str, step: str) -> None:
    client.post(f"/v1/imports/{import_id}/{step}").raise_for_status()


def upload(client: httpx.Client, lines: list[str]) -> str:
    data = "\n".join(["email,first name,company,plan", *lines]).encode()
    answer = client.post("/v1/imports", params={"filename": "leads.csv"}, content=data)
    answer.raise_for_status()
    import_id: str = answer.json()["id"]
    targets = ["email", "firstName", "company", "custom:plan"]
    mapping = {"targets": targets, "existing": "overwrite", "enrich": False}
    client.put(f"/v1/imports/{import_id}/mapping", json=mapping).raise_for_status()
    return import_id


def found(client: httpx.Client, import_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/imports/{import_id}")
    answer.raise_for_status()
    shown: dict[str, Any] = answer.json()
    return shown


def survive(
    deployment: Deployment, client: httpx.Client, import_id: str, worker: Running, random: Random, phase: str
) -> Running:
    """Kill the worker at random points of a phase, as long as it lasts; then let it end."""
    for _ in range(KILLS[phase]):
        point = random.random()
        until(lambda point=point: share(found(client, import_id), phase) >= point)  # type: ignore[misc]  # bound now
        worker.kill()
        worker = deployment.start_worker()
    until(lambda: found(client, import_id)["status"] != phase)
    return worker


def share(shown: dict[str, Any], phase: str) -> float:
    """How far a phase is, from 0 to 1; 1 when it is over."""
    progress = shown["progress"]
    if shown["status"] != phase:
        return 1.0
    if phase == "staging":
        return float(progress["bytesDone"] / progress["bytesTotal"])
    return float(progress["rowsDone"] / max(progress["rowsTotal"] or 0, 1))


def test_no_row_is_lost_or_doubled_by_ten_kills(deployment: Deployment, seed: int) -> None:
    random = Random(seed)  # noqa: S311  where it is killed
    deployment.start_api()
    worker = deployment.start_worker()
    with deployment.client() as client:
        known = upload(client, [f"lead{number * 7}@acme.com,Known,Old," for number in range(KNOWN)])
        ended: Callable[[str], bool] = lambda status: found(client, known)["status"] == status  # noqa: E731  short
        run(client, known, "previews")
        until(lambda: ended("previewed"))
        run(client, known, "commits")
        until(lambda: ended("committed"))
        before = deployment.sql(CHECKSUM)

        import_id = upload(client, [row(number) for number in range(ROWS)])
        run(client, import_id, "previews")
        worker = survive(deployment, client, import_id, worker, random, "staging")
        foreseen = found(client, import_id)
        assert (foreseen["status"], sum(foreseen["counts"].values())) == ("previewed", ROWS)
        run(client, import_id, "commits")
        worker = survive(deployment, client, import_id, worker, random, "committing")
        done = found(client, import_id)
        assert (done["status"], done["counts"]) == ("committed", foreseen["counts"])
        assert deployment.count("SELECT count(*) FROM leads") == KNOWN + done["counts"]["create"]
        run(client, import_id, "undos")
        survive(deployment, client, import_id, worker, random, "undoing")
        undone = found(client, import_id)
        assert (undone["status"], undone["undone"]) == ("undone", done["counts"]["create"] + done["counts"]["update"])

    assert deployment.sql(CHECKSUM) == before
    deployment.assert_sound()
