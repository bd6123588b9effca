"""Requests that Schemathesis makes up, in a process of their own: what it makes and keeps of them takes 150 MB."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("examples", ["", pytest.param("50", marks=pytest.mark.long)])
def test_no_request_breaks_the_contract(examples: str) -> None:
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "schemathesis", "tests/contract/schemathesis_requests.py"]
    env = os.environ | ({"SCHEMATHESIS_EXAMPLES": examples} if examples else {})
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
