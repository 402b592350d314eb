"""The Go SDKs, unchanged: small programs that use them as their users do, built and run here.

gophercloud comes as a Go module. gophertelekomcloud's tests compile against a checkout that
VITRINE_GOPHERTELEKOMCLOUD names, as its packages for this API are in no published module version.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

import identity
from golang import go, use_checkout
from signing import make_key

FOLDER = pathlib.Path(__file__).parent


def build(name, target, from_checkout=False):
    """Builds the program of that SDK, of a published version or of a checkout."""
    shutil.copytree(FOLDER / name, target)
    if from_checkout:
        use_checkout(target / "go.mod", name)
        go(target, "mod", "tidy")
    go(target, "build", "-o", "program", ".")
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


@pytest.mark.client("gophercloud", "create", "share", "accept", "tag", "delete")
def test_gophercloud(server, demo, alt, tmp_path):
    run(build("gophercloud", tmp_path / "build"), server, demo, alt)


@pytest.mark.client("gophertelekomcloud", "create", "share", "accept", "tag", "copy", "export",
                    "delete")
def test_gophertelekomcloud(server, demo, alt, tmp_path):
    program = build("gophertelekomcloud", tmp_path / "build", from_checkout=True)
    folder = server.directory / "buckets" / demo.project_id / "sdk"
    folder.mkdir(parents=True)
    more = {"BUCKET_FOLDER": str(folder)}
    if identity.DRIVER == "builtin":  # a Keystone takes no signature in place of a token
        key = make_key(demo)
        more |= {"ACCESS_KEY": key.access, "SECRET_KEY": key.secret}
    run(program, server, demo, alt, more)
