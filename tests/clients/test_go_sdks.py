"""The Go SDKs, unchanged: small programs that use them as their users do, built and run here.

gophercloud comes as a Go module. gophertelekomcloud's tests compile against a checkout that
VITRINE_GOPHERTELEKOMCLOUD names, as its packages for this API are in no published module version.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

import harness
import identity
from signing import make_key

FOLDER = pathlib.Path(__file__).parent
GO = harness.ROOT / ".cache/go/bin/go"


def build(source, target, replaced=None):
    """Builds a program; `replaced` names the checkout that stands for its SDK."""
    if not GO.exists():
        pytest.fail(f"{GO} is missing; ./dev test installs it")
    target.mkdir()
    for path in source.iterdir():
        shutil.copy(path, target)
    if replaced:
        subprocess.run([GO, "mod", "edit", "-replace",
                        f"github.com/opentelekomcloud/gophertelekomcloud={replaced}"],
                       cwd=target, check=True)
        subprocess.run([GO, "mod", "tidy"], cwd=target, check=True)
    outcome = subprocess.run([GO, "build", "-o", "program", "."], cwd=target, check=False,
                             capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    return target / "program"


def run(program, server, demo, alt, more=None):
    clouds = server.clouds()
    environment = {
        # The cloud's Go SDK looks the endpoint up in this region, else in the project's name.
        "OS_REGION_NAME": "RegionOne",
        "AUTH_URL": clouds["demo"]["auth"]["auth_url"],
        "ALT_PROJECT": alt.project_id,
        "DEMO_PROJECT": demo.project_id,
        **(more or {}),
    }
    for user in ("demo", "alt"):
        environment[f"{user.upper()}_PASSWORD"] = clouds[user]["auth"]["password"]
    outcome = subprocess.run([program], capture_output=True, text=True, check=False, timeout=120,
                             env={**os.environ, **environment})
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout.splitlines()[-1] == "ok"


def test_gophercloud(server, demo, alt, tmp_path):
    run(build(FOLDER / "gophercloud", tmp_path / "build"), server, demo, alt)


def test_gophertelekomcloud(server, demo, alt, tmp_path):
    checkout = os.environ.get("VITRINE_GOPHERTELEKOMCLOUD")
    if not checkout:
        pytest.skip("VITRINE_GOPHERTELEKOMCLOUD does not name a checkout of gophertelekomcloud")
    program = build(FOLDER / "gophertelekomcloud", tmp_path / "build", checkout)
    folder = server.directory / "buckets" / demo.project_id / "sdk"
    folder.mkdir(parents=True)
    more = {"BUCKET_FOLDER": str(folder)}
    if identity.DRIVER == "builtin":  # a Keystone takes no signature in place of a token
        key = make_key(demo)
        more |= {"ACCESS_KEY": key.access, "SECRET_KEY": key.secret}
    run(program, server, demo, alt, more)
