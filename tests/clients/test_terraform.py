"""terraform with the cloud's own provider, unchanged: all that it has for images.

The provider is compiled from the checkout that VITRINE_TERRAFORM_PROVIDER names, with the SDK in
that of VITRINE_GOPHERTELEKOMCLOUD. terraform itself is that of the PATH. With
tests/components/keystone.py it runs on a real Keystone, too.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import harness
import identity
from golang import checkout, go, use_checkout
from signing import make_key

CONFIGURATION = pathlib.Path(__file__).parent / "terraform"
PROVIDER = "terraform-provider-opentelekomcloud"
DISK = b"sixteen bytes ok" * 4096
DEBIAN = "Debian GNU/Linux 12.0.0 64bit"
# The exit status of a plan: nothing to do, or something.
EMPTY, CHANGES = 0, 2


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """The folder with the provider's program. The checkout stays as it is."""
    folder, source = tmp_path_factory.mktemp("provider"), checkout(PROVIDER)
    for name in ("go.mod", "go.sum"):
        shutil.copy(source / name, folder)
    use_checkout(folder / "go.mod", "gophertelekomcloud")
    go(source, "build", "-mod=mod", f"-modfile={folder / 'go.mod'}", "-o", folder / PROVIDER, ".")
    return folder


class Terraform:
    """One working folder with a state; `variables` are those of the configuration."""

    def __init__(self, folder, provider, variables):
        self.folder, self.variables = folder, variables
        shutil.copytree(CONFIGURATION, folder)
        settings = folder / "settings.tfrc"
        settings.write_text(
            'provider_installation {\n'
            f'  dev_overrides {{ "opentelekomcloud/opentelekomcloud" = "{provider}" }}\n}}\n')
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("OS_", "TF_"))}
        self.environment = {**clean, "TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1",
                            "TF_CLI_ARGS": "-no-color", "CHECKPOINT_DISABLE": "1",
                            "OS_REGION_NAME": "RegionOne"}

    def run(self, *arguments, expect=0):
        (self.folder / "terraform.tfvars.json").write_text(json.dumps(self.variables))
        outcome = subprocess.run(
            ["terraform", *arguments], cwd=self.folder, env=self.environment, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        assert outcome.returncode == expect, f"{arguments}: {outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def plan(self, expect):
        """What the plan does to each resource, by address."""
        self.run("plan", "-input=false", "-detailed-exitcode", "-out=planned", expect=expect)
        changes = json.loads(self.run("show", "-json", "planned"))["resource_changes"]
        return {change["address"].removeprefix("opentelekomcloud_"): change["change"]["actions"]
                for change in changes if change["mode"] == "managed"}

    def apply(self):
        """Applies the plan made last; what the configuration gives out."""
        self.run("apply", "-input=false", "planned")
        return {name: output["value"] for name, output in
                json.loads(self.run("output", "-json")).items()}


UPLOADED, SHARED, ACCEPTED, SYSTEM, DATA = RESOURCES = (
    "images_image_v2.uploaded", "images_image_access_v2.shared",
    "images_image_access_accept_v2.accepted", "ims_image_v2.system", "ims_data_image_v2.data")


def logins(server, demo, key):
    """How each of the two providers of the configuration logs in."""
    def password(user):
        auth = server.clouds()[user]["auth"]
        return {"auth_url": auth["auth_url"], "user_name": user, "password": auth["password"]}
    if not key:
        return {"demo": password("demo"), "alt": password("alt")}
    pair = make_key(demo)
    return {"demo": {"auth_url": password("demo")["auth_url"], "access_key": pair.access,
                     "secret_key": pair.secret}, "alt": password("alt")}


@pytest.fixture(scope="module")
def known_to_keystone(server, demo, alt):
    """What the provider needs of a Keystone: the service in its catalog, and roles of its users in
    their domain, to which it logs in, too."""
    if identity.DRIVER != "keystone":
        return
    admin = server.client("admin")
    role, = admin.get("/v3/roles?name=member").expect(200).json()["roles"]
    for user in (demo, alt):
        admin.put(f"/v3/domains/default/users/{user.user_id}/roles/{role['id']}").expect(204)
    service = admin.post("/v3/services", {"service": {"type": "image"}}).expect(201).json()
    admin.post("/v3/endpoints", {"endpoint": {
        "interface": "public", "region_id": "RegionOne", "url": server.url,
        "service_id": service["service"]["id"]}}).expect(201)


@pytest.mark.usefixtures("known_to_keystone")
@pytest.mark.client("terraform-provider-opentelekomcloud", "create", "share", "accept", "tag",
                    "delete")
@pytest.mark.parametrize("key", [False, pytest.param(True, marks=identity.builtin_only)],
                         ids=["password", "access-key"])
def test_the_life_of_images(server, demo, alt, provider, tmp_path, key):
    prefix = "tf-key" if key else "tf-password"
    bucket = server.directory / "buckets" / demo.project_id / prefix
    bucket.mkdir(parents=True)
    (bucket / "disk.raw").write_bytes(DISK)
    terraform = Terraform(tmp_path / "work", provider, {
        **logins(server, demo, key), "recipient": alt.project_id, "disk": str(bucket / "disk.raw"),
        "bucket": prefix, "prefix": prefix, "tags": {"tf": "one", "env": "test"},
        "answer": "accepted"})
    assert terraform.plan(CHANGES) == dict.fromkeys(RESOURCES, ["create"])
    told = terraform.apply()
    images = told["images"]
    created(demo, images, prefix)
    assert demo.members(images["uploaded"]) == {alt.project_id: "accepted"}
    assert alt.download(images["uploaded"]).body == DISK
    found = told["found"]
    assert (found["id"], found["checksum"], found["size_bytes"], found["visibility"]) == (
        images["uploaded"], harness.md5(DISK), len(DISK), "shared")
    assert told["newest"] in (images["system"], images["data"])
    assert terraform.plan(EMPTY) == dict.fromkeys(RESOURCES, ["no-op"])

    terraform.variables |= {"prefix": f"{prefix}-renamed", "tags": {"tf": "two", "more": ""},
                            "answer": "rejected"}
    assert terraform.plan(CHANGES) == {**dict.fromkeys(RESOURCES, ["update"]), SHARED: ["no-op"]}
    assert terraform.apply()["images"] == images
    for kind, image_id in images.items():
        shown = demo.show(image_id)
        assert shown["name"] == f"{prefix}-renamed-{kind}"
        assert sorted(shown["tags"]) == ["more" if kind != "uploaded" else "more=", "tf=two"]
    assert demo.members(images["uploaded"]) == {alt.project_id: "rejected"}
    assert terraform.plan(EMPTY) == dict.fromkeys(RESOURCES, ["no-op"])

    terraform.run("destroy", "-auto-approve", "-input=false")
    for image_id in images.values():
        demo.get(f"/v2/images/{image_id}").expect(404)


def created(demo, images, prefix):
    """Each image holds what the configuration asks for."""
    named = {kind: demo.show(image_id) for kind, image_id in images.items()}
    for kind, image in named.items():
        assert (image["name"], image["status"], image["size"], image["checksum"]) == (
            f"{prefix}-{kind}", "active", len(DISK), harness.md5(DISK))
        assert sorted(image["tags"]) == ["env=test", "tf=one"]
    wanted = {"uploaded": {"min_disk": 2, "min_ram": 512, "disk_format": "raw"},
              "system": {"min_disk": 3, "min_ram": 1024, "max_ram": "4096",
                         "__os_version": DEBIAN, "__description": "of a bucket"},
              "data": {"min_disk": 40, "virtual_env_type": "DataImage", "__os_type": "Linux",
                       "__description": "of the same"}}
    for kind, fields in wanted.items():
        assert {name: named[kind][name] for name in fields} == fields
