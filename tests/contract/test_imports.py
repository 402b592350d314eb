"""Images from files in buckets (contract: ims-api 6.3.2, 6.4, 6.5, 6.7)."""

import os
import pathlib
import struct

import pytest

import harness

CONFIG = '[buckets]\ndriver = "directory"\n[quota]\nimage = 1000\n[jobs]\nlease_seconds = 1\n' \
    'poll_seconds = 1\n'
GIB = 1 << 30
IMAGES = pathlib.Path(__file__).parents[1] / "data" / "images"


@pytest.fixture(scope="module", name="server")
def server_with_buckets(tmp_path_factory):
    started = harness.Server(tmp_path_factory.mktemp("imports") / "data", config=CONFIG).start()
    yield started
    started.finish()


def put(server, project, name, data, bucket="files"):
    """A file in a bucket of a project."""
    path = server.directory / "buckets" / project / bucket / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"{bucket}:{name}"


def put_zeros(server, project, name, size):
    """As `put`, of a file that takes no room."""
    url = put(server, project, name, b"")
    os.truncate(server.directory / "buckets" / project / "files" / name, size)
    return url


def qcow2(virtual_size):
    """The smallest file that is one: a header and an empty table."""
    tables = -(-virtual_size // (GIB // 2))
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 0, 0, 16, virtual_size, 0, tables,
                         0x30000, 0x10000, 1, 0, 0) + struct.pack(">QQQII", 0, 0, 0, 4, 104)
    return header.ljust(0x40000, b"\0")


def imported(client, path, body):
    return client.wait_job(client.post(path, body).expect(200).json()["job_id"])


def system(client, url, **body):
    return imported(client, "/v2/cloudimages/action",
                    {"name": "web", "image_url": url, "min_disk": 1, **body})


def names(client):
    answer = client.get("/v2/images?limit=1000").expect(200)
    return {image["name"] for image in answer.json()["images"]}


def failed(job, code, *words):
    assert (job["status"], job["error_code"]) == ("FAIL", code), job
    for word in words:
        assert word in job["fail_reason"], job
    return True


def test_a_file_becomes_an_image_with_its_bytes_and_format(server):
    demo = server.client("demo")
    data = qcow2(GIB)
    url = put(server, demo.project_id, "dir/web.qcow2", data)
    job = system(demo, url, description="front", min_ram=512, max_ram="1024",
                 os_version="debian  GNU/Linux 12.0.0 64BIT", is_config=True,
                 image_tags=[{"key": "team", "value": "base"}])
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportImageJob"), job
    image = demo.show(job["entities"]["image_id"])
    assert job["entities"] == {"image_id": image["id"], "image_name": "web"}
    expected = {
        "name": "web", "status": "active", "visibility": "private", "disk_format": "qcow2",
        "container_format": "bare", "size": len(data), "virtual_size": GIB, "min_disk": 1,
        "min_ram": 512, "max_ram": "1024", "checksum": harness.md5(data),
        "os_hash_value": harness.sha512(data), "tags": ["team=base"], "__description": "front",
        "__os_version": "debian  GNU/Linux 12.0.0 64BIT", "__os_type": "Linux", "__os_bit": "64",
        "__platform": "Debian", "virtual_env_type": "FusionCompute", "__is_config_init": "true",
        "__root_origin": "file", "__data_origin": f"file,{url}"}
    assert {name: image.get(name) for name in expected} == expected
    assert demo.download(image["id"]).body == data


def test_a_system_that_nobody_names_is_another_linux(server):
    demo = server.client("demo")
    job = system(demo, put(server, demo.project_id, "raw", b"r" * 1000))
    image = demo.show(job["entities"]["image_id"])
    assert (image["disk_format"], image["__os_version"], image["__os_type"], image["__platform"]) \
        == ("raw", "Other Linux(64 bit)", "Linux", "Other")


@pytest.mark.parametrize("path", ["/v1/cloudimages/dataimages/action",
                                  "/v2.1/cloudimages/dataimages/action"])
def test_a_data_disk(server, path):
    demo = server.client("demo")
    url = put(server, demo.project_id, "data", b"d" * 100)
    job = imported(demo, path, {"name": "disk", "image_url": url, "min_disk": 2048,
                                "os_type": "Windows", "tags": ["tier.db", "a=b.c", "plain"]})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportDataImageJob")
    assert set(job["entities"]) == {"image_id", "image_name"}
    image = demo.show(job["entities"]["image_id"])
    assert (image["virtual_env_type"], image["__os_version"], image["__os_type"]) \
        == ("DataImage", "Other Windows(64 bit)", "Windows")
    assert sorted(image["tags"]) == ["a=b.c", "plain", "tier=db"]


@pytest.mark.parametrize("system", [{}, {"os_version": ""}])
def test_the_path_of_one_provider_tells_of_a_sub_job(server, system):
    demo = server.client("demo")
    url = put(server, demo.project_id, "data1", b"d" * 100)
    job = imported(demo, "/v1/cloudimages/action",
                   {"name": "disk", "image_url": url, "min_disk": 5, "os_type": "Linux", **system})
    entities = job["entities"]
    assert job["job_type"] == "imsImportDataImageJob"
    assert entities["sub_jobs_list"] == [job["job_id"]]
    sub, = entities["sub_jobs_result"]
    assert sub["entities"] == {"image_id": entities["image_id"], "image_name": "disk"}
    assert (sub["status"], sub["job_type"]) == ("SUCCESS", "imsImportDataImageJob")
    assert demo.show(entities["image_id"])["virtual_env_type"] == "DataImage"


@pytest.mark.parametrize("path", ["/v1", "/v2"])
def test_a_data_disk_may_be_named_by_its_type(server, path):
    demo = server.client("demo")
    body = {"name": "data", "min_disk": 5, "type": "DataImage",
            "image_url": put(server, demo.project_id, f"data3{path[1:]}", b"d" * 100)}
    answer = demo.post(f"{path}/cloudimages/action", {**body, "os_type": "Other"})
    assert (answer.status, answer.code()) == (400, "IMG.0122")
    job = imported(demo, f"{path}/cloudimages/action", body)
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportDataImageJob")
    image = demo.show(job["entities"]["image_id"])
    assert (image["virtual_env_type"], image["__os_version"], image["min_disk"]) \
        == ("DataImage", "Other Linux(64 bit)", 5)


def test_the_same_path_with_a_system_makes_a_system_disk(server):
    demo = server.client("demo")
    url = put(server, demo.project_id, "data2", b"d" * 100)
    job = imported(demo, "/v1/cloudimages/action",
                   {"name": "sys", "image_url": url, "min_disk": 5, "type": "BMS"})
    assert (job["job_type"], set(job["entities"])) \
        == ("imsImportImageJob", {"image_id", "image_name"})
    assert demo.show(job["entities"]["image_id"])["virtual_env_type"] == "Ironic"


def iso():
    """A volume of 20 blocks with the two descriptors that every ISO has."""
    volume = bytearray(2048)
    volume[:7] = b"\x01CD001\x01"
    volume[80:88] = struct.pack("<I", 20) + struct.pack(">I", 20)
    volume[128:132] = struct.pack("<H", 2048) + struct.pack(">H", 2048)
    return bytes(32768) + bytes(volume) + b"\xffCD001\x01" + bytes(2041) + bytes(4096)


def test_an_iso_needs_a_system_and_iso_bytes(server):
    demo = server.client("demo")
    url = put(server, demo.project_id, "inst.ISO", iso())
    body = {"name": "inst", "image_url": url, "min_disk": 20}
    answer = demo.post("/v2/cloudimages/action", body)
    assert (answer.status, answer.code()) == (400, "IMG.0166")
    job = system(demo, url, os_version="Debian GNU/Linux 12.0.0 64bit")
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportIsoFileImageJob"), job
    image = demo.show(job["entities"]["image_id"])
    assert (image["disk_format"], image["virtual_env_type"]) == ("iso", "IsoImage")
    raw = put(server, demo.project_id, "no-iso", b"x" * 100)
    assert failed(system(demo, raw, type="IsoImage", os_version="Debian GNU/Linux 12.0.0 64bit"),
                  "IMG.0057", "found raw", "only iso")


def test_a_quick_import_takes_raw(server):
    demo = server.client("demo")
    body = {"name": "big", "min_disk": 300, "os_version": "Debian GNU/Linux 12.0.0 64bit",
            "type": "ECS", "license_type": "ignored"}
    raw = put(server, demo.project_id, "big.raw", b"r" * 4096)
    path = "/v2/cloudimages/quickimport/action"
    job = imported(demo, path, {**body, "image_url": raw})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportImageJob")
    disk = put(server, demo.project_id, "big.qcow2", qcow2(GIB))
    assert failed(imported(demo, path, {**body, "image_url": disk}), "IMG.0057", "found qcow2")
    job = imported(demo, "/v2.1/cloudimages/quickimport/action",
                   {"name": "d", "image_url": raw, "min_disk": 1, "type": "DataImage",
                    "os_type": "Linux"})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportDataImageJob")


QUICK = "/v2/cloudimages/quickimport/action"
DEBIAN = "Debian GNU/Linux 12.0.0 64bit"


@pytest.mark.parametrize("system", [{}, {"os_version": DEBIAN}, {"os_type": "Windows"}])
def test_a_name_makes_no_iso_of_a_quick_import(server, system):
    demo = server.client("demo")
    url = put(server, demo.project_id, "b.iso", b"r" * 4096)
    job = imported(demo, QUICK, {"name": "d", "image_url": url, "min_disk": 1,
                                 "type": "DataImage", **system})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportDataImageJob"), job
    image = demo.show(job["entities"]["image_id"])
    assert (image["disk_format"], image["virtual_env_type"]) == ("raw", "DataImage")


def test_a_quick_import_takes_no_iso(server):
    demo = server.client("demo")
    body = {"name": "quick-iso", "min_disk": 20, "os_version": DEBIAN,
            "image_url": put(server, demo.project_id, "quick.iso", iso())}
    for kind in ("ECS", "BMS"):
        job = imported(demo, QUICK, {**body, "type": kind})
        assert job["job_type"] == "imsImportImageJob"
        assert failed(job, "IMG.0057", "found iso", "raw, zvhd2")
    job = imported(demo, "/v2/cloudimages/action", {**body, "is_quick_import": True})
    assert failed(job, "IMG.0057", "found iso")
    answer = demo.post("/v2/cloudimages/action", {**body, "is_quick_import": True,
                                                  "type": "IsoImage"})
    assert (answer.status, answer.code()) == (400, "IMG.0024")
    assert "quick-iso" not in names(demo)


@pytest.mark.parametrize("change,code", [
    ({"type": "DataImage", "os_type": "Other"}, "IMG.0122"), ({"cmk_id": "key"}, "IMG.0105"),
    ({"type": "DataImage", "cmk_id": "ims/default"}, "IMG.0105"), ({"cmk_id": 5}, "IMG.0001"),
    ({"data_images": [{"image_url": "files:d", "min_disk": 1}]}, "IMG.0105"),
    ({"type": "IsoImage"}, "IMG.0024"), ({"os_version": None}, "IMG.0056")])
def test_what_a_quick_import_cannot_do_is_refused(server, change, code):
    demo = server.client("demo")
    answer = demo.post(QUICK, {"name": "bad", "image_url": "files:x", "min_disk": 1,
                               "os_version": DEBIAN, **change})
    assert (answer.status, answer.code()) == (400, code), answer
    assert list(change)[-1] in answer.json()["error"]["message"]
    assert "bad" not in names(demo)


def test_a_quick_import_that_is_asked_for_by_a_field_cannot_encrypt_either(server):
    demo = server.client("demo")
    quick = {"image_url": "files:d", "min_disk": 1, "is_quick_import": True}
    for change in ({"is_quick_import": True}, {"data_images": [quick]}):
        body = {"name": "bad", "image_url": "files:x", "min_disk": 1, "os_version": DEBIAN,
                "cmk_id": "ims/default", **change}
        answer = demo.post("/v2/cloudimages/action", body)
        assert (answer.status, answer.code()) == (400, "IMG.0105"), answer
        assert "cmk_id" in answer.json()["error"]["message"]


def test_an_empty_key_is_none(server):
    demo = server.client("demo")
    url = put(server, demo.project_id, "plain.raw", b"r" * 100)
    job = imported(demo, QUICK, {"name": "plain", "image_url": url, "min_disk": 1, "cmk_id": "",
                                 "data_images": [], "os_version": DEBIAN})
    assert job["status"] == "SUCCESS"


def test_the_origin_of_data_has_two_parts_at_the_comma(server):
    demo = server.client("demo")
    url = put(server, demo.project_id, "a,b%2C,c.raw", b"r" * 100)
    image = demo.show(system(demo, url)["entities"]["image_id"])
    assert image["__data_origin"] == "file,files:a%2Cb%2C%2Cc.raw"


def test_a_file_larger_than_any_image_may_be(fresh_server):
    server = fresh_server(config=CONFIG + "[images]\nsize_bytes_max = 1000\n")
    demo = server.client("demo")
    url = put(server, demo.project_id, "large", b"x" * 1001)
    assert failed(system(demo, url), "IMG.0059", "1001 bytes, at most 1000")
    image = demo.create_image()["id"]
    asked = demo.put(f"/v1/cloudimages/{image}/upload", {"image_url": url}).expect(200)
    assert failed(demo.wait_job(asked.json()["job_id"]), "IMG.0059", "1001 bytes, at most 1000")
    assert (demo.show(image)["status"], demo.listed()) == ("queued", [image])
    most = put(server, demo.project_id, "most", b"x" * 1000)
    assert system(demo, most)["status"] == "SUCCESS"


def test_arm_starts_by_uefi(server):
    demo = server.client("demo")
    url = put(server, demo.project_id, "arm", b"r" * 100)
    image = demo.show(system(demo, url, architecture="arm")["entities"]["image_id"])
    assert (image["hw_firmware_type"], image["__support_arm"]) == ("uefi", "true")


def test_what_is_in_the_file_fails_the_job_and_leaves_nothing(server):
    demo = server.client("demo")
    before, stored = names(demo), server.stored_bytes()
    cases = {
        "IMG.0055": (qcow2(2 * GIB), "2147483648 bytes", "min_disk 1 GiB"),
        "IMG.0057": (b"", ),
    }
    for code, (data, *words) in cases.items():
        url = put(server, demo.project_id, f"bad-{code}", data)
        job = system(demo, url, name=f"bad-{code}")
        assert failed(job, code, *words)
        assert job["entities"] == {}
    assert failed(system(demo, "files:nowhere", name="bad-none"), "IMG.0057")
    assert failed(system(demo, "nobucket:x", name="bad-bucket"), "IMG.0069")
    assert names(demo) == before
    assert server.stored_bytes() == stored
    events = [event for event in server.events() if event["event_type"] == "image.create"
              and event["outcome"] == "failure" and event["target"]["name"].startswith("bad-")]
    harness.wait_until(lambda: len([
        event for event in server.events() if event["event_type"] == "image.create"
        and event["outcome"] == "failure"
        and event["target"]["name"].startswith("bad-")]) == 4, what="four events", seconds=30)
    assert all(event["job_id"] for event in events)


def test_a_hostile_file_is_refused(server):
    demo = server.client("demo")
    hostile = bytearray(qcow2(GIB))
    hostile[8:20] = struct.pack(">QI", 0x20000, 11)  # a backing file
    hostile[0x20000:0x20000 + 11] = b"/etc/passwd"
    url = put(server, demo.project_id, "hostile", bytes(hostile))
    assert failed(system(demo, url, name="hostile"), "IMG.0057", "qcow2")
    assert "hostile" not in names(demo)


def test_buckets_are_those_of_the_project(server):
    demo, alt = server.client("demo"), server.client("alt")
    url = put(server, demo.project_id, "mine", b"r" * 10)
    assert failed(system(alt, url, name="theirs"), "IMG.0069")


REFUSED = [
    ({"image_url": None, "instance_id": None}, "IMG.0001"), ({"image_url": "nocolon"}, "IMG.0017"),
    ({"image_url": ":x"}, "IMG.0068"), ({"image_url": "b_B:x"}, "IMG.0109"),
    ({"image_url": "files:"}, "IMG.0073"), ({"image_url": "files:" + "x" * 1025}, "IMG.0074"),
    ({"image_url": "files:../files/x"}, "IMG.0075"), ({"image_url": "files:/x"}, "IMG.0075"),
    ({"image_url": "files: x"}, "IMG.0075"), ({"image_url": 7}, "IMG.0001"),
    ({"name": None}, "IMG.0013"), ({"name": "a/b"}, "IMG.0003"), ({"name": 1}, "IMG.0062"),
    ({"name": "n" * 129}, "IMG.0002"), ({"description": "<"}, "IMG.0054"),
    ({"description": 5}, "IMG.0001"), ({"description": ["x"]}, "IMG.0001"),
    ({"description": "d" * 1025}, "IMG.0004"), ({"min_disk": None}, "IMG.0055"),
    ({"min_disk": 0}, "IMG.0055"), ({"min_disk": 1025}, "IMG.0055"),
    ({"min_disk": "x"}, "IMG.0055"), ({"min_ram": -1}, "IMG.0055"),
    ({"min_ram": 2048, "max_ram": 1024}, "IMG.0055"), ({"os_type": "BSD"}, "IMG.0122"),
    ({"os_version": "CP/M 2.2"}, "IMG.0056"), ({"type": "DataImg"}, "IMG.0024"),
    ({"type": "ecs"}, "IMG.0024"), ({"architecture": "sparc"}, "IMG.0212"),
    ({"hw_firmware_type": "coreboot"}, "IMG.0141"),
    ({"hw_firmware_type": "bios", "architecture": "arm"}, "IMG.0141"),
    ({"cmk_id": "key", "type": "BMS"}, "IMG.0118"), ({"cmk_id": "key"}, "IMG.0095"),
    ({"is_quick_import": True}, "IMG.0056"), ({"is_config": "maybe"}, "IMG.0001"),
    ({"tags": ["a.b"], "image_tags": [{"key": "c", "value": "d"}]}, "IMG.0115"),
    ({"image_tags": [{"key": "k" * 37, "value": ""}]}, "IMG.0115"),
    ({"tags": [f"k{n}.v" for n in range(11)]}, "IMG.0116"),
    ({"enterprise_project_id": "mine"}, "IMG.0155"), ({"instance_id": "i"}, "IMG.0001")]


@pytest.mark.parametrize("change,code", REFUSED)
def test_fields_are_judged_each_by_its_code(server, change, code):
    demo = server.client("demo")
    body = {"name": "bad", "image_url": "files:x", "min_disk": 1, **change}
    answer = demo.post("/v2/cloudimages/action", body)
    assert (answer.status, answer.code()) == (400, code), answer
    assert "bad" not in names(demo)


@pytest.mark.parametrize("disk", [0, 2049, -1, 1.5, True, "x", ""])
def test_the_sizes_of_a_disk_that_are_taken_are_told(server, disk):
    """It was told that 0 would do."""
    body = {"name": "bad", "image_url": "files:x", "min_disk": disk}
    among = {**body, "min_disk": 1, "data_images": [{"image_url": "files:y", "min_disk": disk}]}
    for path, asked, most in (("/v2/cloudimages/action", body, 1024),
                              ("/v2/cloudimages/action", among, 2048),
                              ("/v1/cloudimages/dataimages/action", body, 2048)):
        answer = server.client("demo").post(path, asked)
        assert (answer.status, answer.code()) == (400, "IMG.0055"), answer
        assert f"min_disk: a whole number of GiB from 1 to {most} is needed" \
            in answer.json()["error"]["message"]


FIELDS = [({"name": "a/b"}, "IMG.0003"), ({"description": "<"}, "IMG.0054"),
          ({"tags": ["a.b"], "image_tags": [{"key": "c"}]}, "IMG.0115"),
          ({"min_ram": -1}, "IMG.0055"), ({"max_ram": 1, "min_ram": 2}, "IMG.0055"),
          ({"enterprise_project_id": "mine"}, "IMG.0155"), ({"type": "ecs"}, "IMG.0024"),
          ({"image_url": "nocolon"}, "IMG.0017"), ({"min_disk": 0}, "IMG.0055"),
          ({"os_type": "BSD"}, "IMG.0122"), ({"os_version": "CP/M 2.2"}, "IMG.0056"),
          ({"is_config": "maybe"}, "IMG.0001"), ({"architecture": "sparc"}, "IMG.0212"),
          ({"hw_firmware_type": "coreboot"}, "IMG.0141"), ({"is_quick_import": 3}, "IMG.0001")]


@pytest.mark.parametrize("first", range(len(FIELDS) - 1))
def test_the_first_field_at_fault_is_told(server, first):
    body = {"name": "bad", "image_url": "files:x", "min_disk": 1, "os_version": DEBIAN}
    for change, _ in reversed(FIELDS[first:]):
        body |= change
    answer = server.client("demo").post("/v2/cloudimages/action", body)
    assert (answer.status, answer.code()) == (400, FIELDS[first][1]), answer


@pytest.mark.parametrize("body,code", [
    ({"instance_id": "i", "name": "x"}, "IMG.0105"),
    ({"instance_id": "i", "name": "a/b"}, "IMG.0003"), ({"instance_id": "i"}, "IMG.0013"),
    ({"volume_id": "v", "name": "x", "os_version": DEBIAN}, "IMG.0105"),
    ({"volume_id": "v", "name": "x"}, "IMG.0056"),
    ({"volume_id": "v", "name": "x", "os_version": "CP/M 2.2"}, "IMG.0056"),
    ({"volume_id": "", "name": "x", "os_version": DEBIAN}, "IMG.0120"),
    ({"data_images": [{"name": "d", "volume_id": "v"}]}, "IMG.0105"),
    ({"data_images": [{"volume_id": "v"}]}, "IMG.0013"),
    ({"data_images": [{"name": "d", "volume_id": "v"}] * 25}, "IMG.0194")])
def test_servers_and_volumes_are_not_there(server, body, code):
    answer = server.client("demo").post("/v2/cloudimages/action", body)
    assert (answer.status, answer.code()) == (400, code), answer


@pytest.mark.parametrize("body,code", [
    ({"name": "x", "instance_id": "i", "vault_id": "v"}, "IMG.0180"),
    ({"name": "x", "backup_id": "b", "whole_image_type": "CBR"}, "IMG.0180"),
    ({"name": "x", "backup_id": "b", "whole_image_type": "cbr"}, "IMG.0024"),
    ({"name": "x", "backup_id": "b", "whole_image_type": 5}, "IMG.0024"),
    ({"name": "x"}, "IMG.0001"), ({"name": "x", "instance_id": "i", "backup_id": "b"}, "IMG.0001"),
    ({"name": "x", "instance_id": ""}, "IMG.0012"), ({"name": "x", "backup_id": ""}, "IMG.0019"),
    ({"instance_id": "i"}, "IMG.0013"), ({"name": "a/b", "instance_id": "i"}, "IMG.0003"),
    ({"name": "x", "instance_id": "i", "tags": ["a.b"], "image_tags": [{"key": "c"}]}, "IMG.0115"),
    ({"name": "x", "instance_id": "i", "min_ram": -1}, "IMG.0055")])
def test_whole_servers_need_a_backup_service(server, body, code):
    answer = server.client("demo").post("/v1/cloudimages/wholeimages/action", body)
    assert (answer.status, answer.code()) == (400, code), answer


def test_a_queued_image_is_registered(server):
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(name="queued")["id"]
    url = put(server, demo.project_id, "later", b"l" * 100)
    path = f"/v1/cloudimages/{image}/upload"
    missing = demo.put(path, {"image_url": "files:absent"}).expect(200).json()["job_id"]
    job = demo.wait_job(missing)
    assert failed(job, "IMG.0057")
    assert job["entities"] == {"image_id": image}
    assert demo.show(image)["status"] == "queued"
    job = demo.wait_job(demo.put(path, {"image_url": url}).expect(200).json()["job_id"])
    assert (job["status"], job["job_type"], job["entities"]) \
        == ("SUCCESS", "imsNativeImportImageJob", {"image_id": image})
    assert demo.download(image).body == b"l" * 100
    assert demo.put(path, {"image_url": url}).code() == "IMG.0046"
    unseen = alt.put(path, {"image_url": url})
    assert (unseen.status, unseen.code()) == (404, "IMG.0144")


def test_an_image_that_is_registered_keeps_its_declared_format(server):
    demo = server.client("demo")
    image = demo.create_image(disk_format="vmdk", container_format="bare")["id"]
    url = put(server, demo.project_id, "raw3", b"r" * 100)
    job = demo.wait_job(demo.put(f"/v1/cloudimages/{image}/upload", {"image_url": url})
                        .expect(200).json()["job_id"])
    assert failed(job, "IMG.0057", "declared vmdk", "found raw")
    shown = demo.show(image)
    assert (shown["status"], shown["disk_format"], shown["size"]) == ("queued", "vmdk", None)


def test_without_an_object_store_nothing_is_taken(fresh_server):
    server = fresh_server(config='[buckets]\ndriver = "none"\n')
    demo = server.client("demo")
    image = demo.create_image()["id"]
    bodies = {"/v2/cloudimages/action": {"name": "x", "image_url": "files:x", "min_disk": 1}}
    for path, body in bodies.items():
        answer = demo.post(path, body)
        assert (answer.status, answer.code()) == (400, "IMG.0040")
    answer = demo.put(f"/v1/cloudimages/{image}/upload", {"image_url": "files:x"})
    assert (answer.status, answer.code()) == (400, "IMG.0040")
    assert demo.show(image)["status"] == "queued"
    assert len(demo.listed()) == 1


def test_a_quota_is_told_before_what_is_not_configured(fresh_server):
    config = '[buckets]\ndriver = "none"\n[quota]\nimage = 1\n'
    server = fresh_server(config=config)
    demo = server.client("demo")
    demo.create_image()
    body = {"name": "x", "min_disk": 1}
    for path, source in (("/v2/cloudimages/action", {"image_url": "files:x"}),
                         ("/v2/cloudimages/action", {"instance_id": "i"}),
                         ("/v2/cloudimages/action", {"data_images": [
                             {"name": "d", "volume_id": "v"}]}),
                         ("/v1/cloudimages/wholeimages/action", {"instance_id": "i"})):
        answer = demo.post(path, {**body, **source})
        assert (answer.status, answer.code()) == (400, "IMG.0015"), (path, source, answer)


def test_killed_anywhere_an_import_ends_with_one_whole_image(fresh_server, rng):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    data = os.urandom(1 << 20) * 48
    url = put(server, demo.project_id, "large", data)
    body = {"name": "large", "image_url": url, "min_disk": 1}
    for _ in range(4):
        job_id = demo.post("/v2/cloudimages/action", body).expect(200).json()["job_id"]
        pause = rng.uniform(0.0, 0.2)
        harness.wait_until(lambda until=harness.time.monotonic() + pause:
                           harness.time.monotonic() >= until, what="a moment")
        server.restart()
        demo = server.client("demo")
        job = demo.wait_job(job_id)
        assert job["status"] == "SUCCESS", job
        image = job["entities"]["image_id"]
        shown = demo.show(image)
        assert (shown["status"], shown["checksum"]) == ("active", harness.md5(data))
        assert demo.listed() == [image]
        demo.delete(f"/v2/images/{image}").expect(204)
    harness.wait_until(lambda: server.stored_bytes() == 0, what="no bytes left")


def test_deleting_the_image_fails_its_job(fresh_server):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    url = put_zeros(server, demo.project_id, "large", 100 * GIB)  # minutes to read
    job_id = demo.post("/v2/cloudimages/action", {"name": "large", "image_url": url,
                                                  "min_disk": 100}).expect(200).json()["job_id"]
    harness.wait_until(lambda: demo.listed() != [], what="the image is there")
    image, = demo.listed()
    assert demo.job(job_id)["entities"]["image_id"] == image
    demo.delete(f"/v2/images/{image}").expect(204)
    assert "image_id" not in demo.job(job_id)["entities"]
    job = demo.wait_job(job_id)
    assert failed(job, "IMG.0144") and job["entities"] == {}
    assert demo.listed() == []
    harness.wait_until(lambda: server.stored_bytes() == 0, what="no bytes left")


def test_members_do_not_wait_for_image_data(fresh_server):
    server = fresh_server(config=CONFIG)
    demo, alt = server.client("demo"), server.client("alt")
    url = put_zeros(server, demo.project_id, "large", GIB)
    body = {"name": "large", "image_url": url, "min_disk": 1}
    jobs = [demo.post("/v2/cloudimages/action", body).expect(200).json()["job_id"]
            for _ in range(3)]  # more than there are workers
    harness.wait_until(lambda: demo.job(jobs[0])["status"] == "RUNNING", what="it runs")
    small = demo.create_image(b"x")["id"]
    assert demo.share([small], [alt.project_id])["status"] == "SUCCESS"
    assert demo.job(jobs[-1])["status"] in ("INIT", "RUNNING")
    large = demo.wait_job(jobs[0], 120)["entities"]["image_id"]
    answer = demo.post(f"/v1/cloudimages/{large}/file",
                       {"bucket_url": "files:copy", "is_quick_export": True}).expect(200)
    assert demo.share([large], [alt.project_id])["status"] == "SUCCESS"
    assert demo.job(answer.json()["job_id"])["status"] in ("INIT", "RUNNING")
    for job in [*jobs, answer.json()["job_id"]]:
        assert demo.wait_job(job, 120)["status"] == "SUCCESS"
