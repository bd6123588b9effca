"""The real dialer, in a network namespace with listeners that nothing may reach."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

UNSHARE = ["unshare", "--map-root-user", "--net"]


def test_the_real_dialer_reaches_public_addresses_only() -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("the kernel allows no network namespaces here")

    command = [*UNSHARE, sys.executable, "-m", "tests.support.namespace_door"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["page"] == {"status": 200, "address": "25.200.0.1"}
    assert (seen["letThrough"], seen["caught"]) == (0, [])
    assert seen["refused"] > 150
