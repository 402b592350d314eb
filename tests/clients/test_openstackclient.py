"""openstackclient, unchanged, against the real program: what a user types."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import harness
import identity
import signing

OPENSTACK = pathlib.Path(sys.executable).with_name("openstack")


class CommandLine:
    """`openstack` as one user of clouds.yaml."""

    def __init__(self, server, user):
        self.server = server
        self.cloud = server.identity.cloud_name(user)

    def run(self, *arguments):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("OS_")}
        environment["OS_CLIENT_CONFIG_FILE"] = str(self.server.directory / "clouds.yaml")
        return subprocess.run(
            [str(OPENSTACK), "--os-cloud", self.cloud, *map(str, arguments)], capture_output=True,
            text=True, check=False, timeout=120, env=environment)

    def __call__(self, *arguments):
        outcome = self.run(*arguments)
        assert outcome.returncode == 0, f"{arguments}: {outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def json(self, *arguments):
        return json.loads(self(*arguments, "-f", "json"))


@pytest.fixture(scope="module")
def as_demo(server):
    return CommandLine(server, "demo")


@pytest.fixture(scope="module")
def as_alt(server):
    return CommandLine(server, "alt")


@pytest.fixture
def disk(tmp_path, rng):
    path = tmp_path / "disk.raw"
    path.write_bytes(rng.randbytes(300_001))
    return path


@pytest.mark.client("python-openstackclient", "create", "share", "accept", "tag", "delete")
def test_the_life_of_an_image(as_demo, as_alt, demo, alt, disk, tmp_path):
    """create, show, set, tags, share, accept, save, deactivate, unset, delete"""
    created = as_demo.json("image", "create", "--file", disk, "--disk-format", "raw",
                           "--property", "colour=red", "--tag", "one", "cli-image")
    image = created["id"]
    assert created["name"] == "cli-image"
    shown = as_demo.json("image", "show", "cli-image")
    assert shown["status"] == "active"
    assert shown["checksum"] == harness.md5(disk.read_bytes())
    assert shown["properties"]["colour"] == "red"
    assert shown["tags"] == ["one"]

    as_demo("image", "set", "--name", "cli-renamed", "--property", "colour=blue", "--tag", "two",
            "--min-disk", "3", image)
    shown = as_demo.json("image", "show", image)
    assert (shown["name"], shown["min_disk"]) == ("cli-renamed", 3)
    assert shown["properties"]["colour"] == "blue"
    assert sorted(shown["tags"]) == ["one", "two"]
    as_demo("image", "unset", "--tag", "one", "--property", "colour", image)
    shown = as_demo.json("image", "show", image)
    assert shown["tags"] == ["two"] and "colour" not in shown["properties"]

    as_demo("image", "add", "project", image, alt.project_id)
    members = as_demo.json("image", "member", "list", image)
    assert [(row["Member ID"], row["Status"]) for row in members] == [(alt.project_id, "pending")]
    pending = as_alt.json("image", "list", "--shared", "--member-status", "pending")
    assert image in [row["ID"] for row in pending]
    as_alt("image", "set", "--accept", image)
    assert image in [row["ID"] for row in as_alt.json("image", "list", "--shared")]
    target = tmp_path / "saved"
    as_alt("image", "save", "--file", target, image)
    assert target.read_bytes() == disk.read_bytes()
    as_alt("image", "set", "--reject", image)
    as_demo("image", "remove", "project", image, alt.project_id)
    assert as_demo.json("image", "member", "list", image) == []

    as_demo("image", "set", "--deactivate", image)
    assert demo.show(image)["status"] == "deactivated"
    as_demo("image", "set", "--activate", image)
    as_demo("image", "delete", image)
    demo.get(f"/v2/images/{image}").expect(404)


def test_lists(as_demo, demo):
    image = demo.create_image(b"x", name="cli-listed", tags=["cli-list"])
    rows = as_demo.json("image", "list", "--long", "--tag", "cli-list")
    assert [(row["ID"], row["Name"], row["Status"]) for row in rows] \
        == [(image["id"], "cli-listed", "active")]
    rows = as_demo.json("image", "list", "--name", "cli-listed", "--private", "--sort", "name:asc")
    assert [row["ID"] for row in rows] == [image["id"]]
    rows = as_demo.json("image", "list", "--limit", "1", "--tag", "cli-list")
    assert len(rows) == 1


def test_protection_and_visibility(as_demo, demo):
    image = as_demo.json("image", "create", "--protected", "--community", "cli-guarded")["id"]
    assert demo.show(image)["visibility"] == "community"
    outcome = as_demo.run("image", "delete", image)
    assert outcome.returncode != 0
    assert "protected" in outcome.stdout + outcome.stderr
    as_demo("image", "set", "--unprotected", "--private", "--hidden", image)
    assert image in [row["ID"] for row in as_demo.json("image", "list", "--hidden")]
    as_demo("image", "delete", image)


def test_what_is_not_there_says_so(as_demo):
    outcome = as_demo.run("image", "show", "no-such-image")
    assert outcome.returncode != 0
    assert "No Image found for no-such-image" in outcome.stderr


def test_identity_commands(server):
    admin = CommandLine(server, "admin")
    project = admin.json("project", "create", "--description", "made by the cli", "cli-project")
    admin("user", "create", "--password", "a-long-password", "cli-user")
    admin("role", "add", "--user", "cli-user", "--project", "cli-project", "member")
    rows = admin.json("role", "assignment", "list", "--user", "cli-user", "--names")
    assert [row["Role"] for row in rows] == ["member"]
    admin("project", "set", "--disable", "cli-project")
    assert admin.json("project", "show", project["id"])["enabled"] is False
    admin("role", "remove", "--user", "cli-user", "--project", "cli-project", "member")
    admin("user", "delete", "cli-user")
    admin("project", "delete", "cli-project")
    assert "cli-project" not in [row["Name"] for row in admin.json("project", "list")]


def test_a_token_and_the_catalog(as_demo):
    token = as_demo.json("token", "issue")
    assert token["id"] and token["project_id"]
    catalog = as_demo.json("catalog", "list")
    assert "image" in [row["Type"] for row in catalog]


@identity.builtin_only
def test_access_keys(as_demo, server, demo):
    made = as_demo.json("ec2", "credentials", "create")
    assert made["project_id"] == demo.project_id
    key = signing.Key(made["access"], made["secret"])
    signing.Signed(server, key).get("/v1/cloudimages/quota").expect(200)
    assert made["access"] in [one["Access"] for one in as_demo.json("ec2", "credentials", "list")]
    as_demo("ec2", "credentials", "delete", made["access"])
    assert signing.Signed(server, key).get("/v1/cloudimages/quota").status == 401
