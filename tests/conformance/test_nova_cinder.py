"""Images from servers, volumes and backups of a real OpenStack (contract: ims-api 6.3.3 to 6.6).

Run by ./dev conformance within tests/components/nova_cinder.py; too heavy for every run.
"""

import json
import os
import pathlib
import subprocess

import pytest

import harness

PLACE = json.loads(os.environ["VITRINE_TEST_CLOUD"])["image"]
CONFIG = ('[compute]\ndriver = "nova"\n[block_storage]\ndriver = "cinder"\nbackup = "cinder"\n'
          "[jobs]\npoll_seconds = 1\n")
DEBIAN = "Debian GNU/Linux 12.0.0 64bit"
PATIENCE_SECONDS = 300


class PlacedServer(harness.Server):
    """Where Nova and Cinder were told that the image service is."""

    def command(self):
        line = super().command()
        line[line.index("--listen") + 1] = PLACE
        return line


class Service:
    """One service of the catalog, asked as a user."""

    def __init__(self, client, kind, version):
        self.client = client
        token = client.get("/v3/auth/tokens",
                           headers={"X-Subject-Token": client.token}).expect(200).json()["token"]
        self.url = next(endpoint["url"] for service in token["catalog"] if service["type"] == kind
                        for endpoint in service["endpoints"] if endpoint["interface"] == "public")
        self.version = version

    def call(self, method, path, body=None, status=None):
        place = harness.urllib.parse.urlsplit(self.url)
        connection = harness.http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        connection.request(method, place.path + path, json.dumps(body) if body else None, {
            "X-Auth-Token": self.client.token, "Content-Type": "application/json",
            "OpenStack-API-Version": self.version})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if status is not None:
            return response.status == status
        assert response.status < 300, f"{method} {path}: {response.status} {text[:1000]}"
        return json.loads(text) if text else {}

    def until(self, path, kind, *statuses):
        """Waits until the thing has one of these statuses."""
        def stands():
            found = self.call("GET", path)[kind]
            assert not found["status"].lower().startswith("error"), found
            return found if found["status"] in statuses else None
        return harness.wait_until(stands, PATIENCE_SECONDS, f"{path} {statuses}")


@pytest.fixture(scope="module", name="cloud")
def everything(tmp_path_factory):
    """A server of ours, a user at Nova and Cinder, and an image to boot from."""
    server = PlacedServer(tmp_path_factory.mktemp("conformance") / "data", config=CONFIG).start()
    yield Cloud(server, tmp_path_factory.mktemp("disks"))
    server.finish()


class Cloud:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.demo = server.client("demo")
        self.nova = Service(self.demo, "compute", "compute 2.45")
        self.cinder = Service(self.demo, "volumev3", "volume 3.1")
        administrator = Service(server.client("admin"), "compute", "compute 2.45")
        administrator.call("POST", "/flavors", {"flavor": {
            "id": "small", "name": "small", "ram": 64, "vcpus": 1, "disk": 1}})
        self.base_file = folder / "base.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.base_file, "1G"],
                       check=True)
        subprocess.run(["qemu-io", "-c", "write -P 0x5a 1M 4M", self.base_file], check=True,
                       stdout=subprocess.DEVNULL)
        base = self.demo.create_image(self.base_file.read_bytes(), name="base",
                                      disk_format="qcow2", __os_version=DEBIAN)
        self.base = base["id"]

    def boot(self, **source):
        """A server that runs."""
        made = self.nova.call("POST", "/servers", {"server": {
            "name": "server", "flavorRef": "small", "networks": "none", **source}})["server"]["id"]
        self.nova.until(f"/servers/{made}", "server", "ACTIVE")
        return made

    def volume(self):
        made = self.cinder.call("POST", "/volumes", {"volume": {
            "name": "volume", "size": 1, "imageRef": self.base}})["volume"]["id"]
        self.cinder.until(f"/volumes/{made}", "volume", "available")
        return made

    def boot_from_volume(self):
        """A server and its root volume."""
        volume = self.volume()
        return self.boot(block_device_mapping_v2=[{
            "boot_index": 0, "uuid": volume, "source_type": "volume",
            "destination_type": "volume", "delete_on_termination": False}]), volume

    def make(self, path, body):
        job = self.demo.post(path, body).expect(200).json()["job_id"]
        ended = self.demo.wait_job(job, PATIENCE_SECONDS)
        assert ended["status"] == "SUCCESS", ended
        return ended, self.demo.show(ended["entities"]["image_id"])

    def expect_disk_of_base(self, image):
        """The image holds the same disk."""
        path = pathlib.Path(self.folder / f"{image['id']}.img")
        path.write_bytes(self.demo.download(image["id"]).body)
        done = subprocess.run(["qemu-img", "compare", "-f", "qcow2", "-F", image["disk_format"],
                               self.base_file, path], check=False, capture_output=True, text=True)
        path.unlink()
        assert done.returncode == 0, done.stdout

    def expect_nothing_left(self):
        """No job has left anything at Cinder but what its image is of."""
        for kind in ("volumes", "snapshots"):
            names = [one["name"] for one in self.cinder.call("GET", f"/{kind}")[kind]]
            assert [name for name in names if name.startswith("vitrine-")] == []


def test_a_server_with_a_local_disk(cloud):
    server = cloud.boot(imageRef=cloud.base)
    job, image = cloud.make("/v2/cloudimages/action", {
        "name": "of a server", "instance_id": server, "description": "text", "tags": ["a.b"]})
    assert job["job_type"] == "imsCreateImageByInstance"
    assert (image["name"], image["min_disk"], image["__originalimagename"], image["tags"]) \
        == ("of a server", 1, cloud.base, ["a=b"])
    assert (image["__data_origin"], image["__os_version"], image["__description"]) \
        == (f"instance,{server}", DEBIAN, "text")
    cloud.expect_disk_of_base(image)
    assert cloud.boot(imageRef=image["id"])  # Nova takes what it made back


def test_a_volume(cloud):
    volume = cloud.volume()
    _, image = cloud.make("/v2/cloudimages/action", {
        "name": "of a volume", "volume_id": volume, "os_version": DEBIAN})
    assert (image["min_disk"], image["disk_format"], image["__data_origin"]) \
        == (1, "raw", f"volume,{volume}")
    cloud.expect_disk_of_base(image)
    cloud.expect_nothing_left()


def test_several_volumes(cloud):
    free, (server, used) = cloud.volume(), cloud.boot_from_volume()
    job, first = cloud.make("/v2/cloudimages/action", {"data_images": [
        {"name": "free", "volume_id": free}, {"name": "used", "volume_id": used}]})
    parts = job["entities"]["sub_jobs_result"]
    assert [part["job_type"] for part in parts] == ["imsCopyVolumeToImageJob"] * 2
    second = cloud.demo.show(parts[1]["entities"]["image_id"])
    assert [(image["name"], image["virtual_env_type"], image["__data_origin"], image["__os_type"])
            for image in (first, second)] == [
        ("free", "DataImage", f"volume,{free}", "Linux"),
        ("used", "DataImage", f"volume,{used}", "Linux")]
    for image in (first, second):
        cloud.expect_disk_of_base(image)
    cloud.expect_nothing_left()
    assert cloud.nova.call("GET", f"/servers/{server}")["server"]["status"] == "ACTIVE"


def test_a_failure_leaves_nothing(cloud):
    _, volume = cloud.boot_from_volume()
    job = cloud.demo.post("/v2/cloudimages/action", {
        "name": "gone", "volume_id": volume, "os_version": DEBIAN}).expect(200).json()["job_id"]
    image = harness.wait_until(lambda: cloud.demo.job(job)["entities"].get("image_id"),
                               PATIENCE_SECONDS, "an image")
    cloud.demo.delete(f"/v2/images/{image}").expect(204)
    ended = cloud.demo.wait_job(job, PATIENCE_SECONDS)
    assert (ended["status"], ended["error_code"]) == ("FAIL", "IMG.0144"), ended
    cloud.expect_nothing_left()


def test_a_server_that_runs_from_a_volume(cloud):
    server, volume = cloud.boot_from_volume()
    _, image = cloud.make("/v2/cloudimages/action", {"name": "running", "instance_id": server})
    assert (image["__originalimagename"], image["__os_version"]) == (cloud.base, DEBIAN)
    cloud.expect_disk_of_base(image)
    cloud.expect_nothing_left()
    assert cloud.cinder.call("GET", f"/volumes/{volume}")["volume"]["status"] == "in-use"


def test_a_whole_server(cloud):
    server, volume = cloud.boot_from_volume()
    path = "/v1/cloudimages/wholeimages/action"
    _, image = cloud.make(path, {"name": "whole", "instance_id": server})
    backup = image["__backup_id"]
    assert (image["__whole_image"], image["__data_origin"], image["__backup_ids"]) \
        == ("true", f"server_backup,{backup}", backup)
    assert cloud.cinder.call("GET", f"/backups/{backup}")["backup"]["volume_id"] == volume
    cloud.expect_disk_of_base(image)
    cloud.expect_nothing_left()
    again = cloud.demo.post(path, {"name": "again", "backup_id": backup})
    assert again.code() == "IMG.0029"
    cloud.demo.delete(f"/v2/images/{image['id']}", json={"delete_backup": True}).expect(204)
    harness.wait_until(lambda: cloud.cinder.call("GET", f"/backups/{backup}", status=404),
                       PATIENCE_SECONDS, "the backup to be gone")


def test_a_backup(cloud):
    backup = cloud.cinder.call("POST", "/backups", {"backup": {
        "volume_id": cloud.volume(), "name": "backup"}})["backup"]["id"]
    cloud.cinder.until(f"/backups/{backup}", "backup", "available")
    _, image = cloud.make("/v1/cloudimages/wholeimages/action",
                          {"name": "of a backup", "backup_id": backup})
    assert image["__backup_id"] == backup
    cloud.expect_disk_of_base(image)
    cloud.expect_nothing_left()


def test_another_project_sees_neither(cloud):
    alt = cloud.server.client("alt")
    volume = cloud.volume()
    server = cloud.boot(imageRef=cloud.base)
    for body, code in (({"instance_id": server}, "IMG.0005"),
                       ({"volume_id": volume, "os_version": DEBIAN}, "IMG.0120")):
        job = alt.post("/v2/cloudimages/action", {"name": "theirs", **body}).expect(200).json()
        assert alt.wait_job(job["job_id"], PATIENCE_SECONDS)["error_code"] == code
