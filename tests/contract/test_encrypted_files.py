"""Encrypted images from files in buckets, and to them (contract: ims-api 6.3.2, 6.4, 6.8)."""

import struct
import uuid

import pytest

import harness
from keyring import keys, new_key
from test_copy import blobs, copied
from test_exports import ask, bucket, exported
from test_imports import CONFIG, failed, imported, iso, names, put, qcow2, system

WORDS = b"words of the customer that nobody may find "
DATA = WORDS * 20_000  # some segments
DATA_DISKS = "/v1/cloudimages/dataimages/action"


@pytest.fixture(scope="module", name="server")
def server_with_buckets(tmp_path_factory):
    started = harness.Server(tmp_path_factory.mktemp("files") / "data", config=CONFIG).start()
    for user in ("demo", "alt"):
        bucket(started, started.client(user)).mkdir(parents=True)
    yield started
    started.finish()


def key_of(server, *clients):
    """A new key that these may use."""
    return new_key(server, uuid.uuid4().hex, *clients)


def encrypted(server, client, data, key, **body):
    """An image that was imported with that key."""
    url = put(server, client.project_id, uuid.uuid4().hex, data)
    job = system(client, url, cmk_id=key, **body)
    assert job["status"] == "SUCCESS", job
    return client.show(job["entities"]["image_id"])


@pytest.mark.parametrize("path,body", [
    ("/v2/cloudimages/action", {}), ("/v2.1/cloudimages/action", {}),
    ("/v1/cloudimages/action", {"os_type": "Linux"}), (DATA_DISKS, {"os_type": "Windows"})])
def test_an_import_is_encrypted_on_its_way(fresh_server, path, body):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    key = key_of(server, demo)
    url = put(server, demo.project_id, "disk", DATA)
    job = imported(demo, path, {"name": "web", "image_url": url, "min_disk": 1, "cmk_id": key,
                                **body})
    assert job["status"] == "SUCCESS", job
    image = demo.show(job["entities"]["image_id"])
    expected = {"status": "active", "__system__cmkid": key, "size": len(DATA),
                "checksum": harness.md5(DATA), "os_hash_value": harness.sha512(DATA),
                "disk_format": "raw", "__data_origin": f"file,{url}"}
    assert {name: image.get(name) for name in expected} == expected
    assert demo.download(image["id"]).body == DATA
    assert demo.download(image["id"], Range="bytes=65530-65540").body == DATA[65530:65541]
    stored, = (stored.read_bytes() for stored in server.store.files())
    assert len(stored) > len(DATA) and WORDS not in stored
    assert len(server.database.rows("SELECT * FROM image_keys WHERE key_id = ?", key)) == 1
    assert [refs for _, refs in blobs(server)] == [1]


def test_an_import_with_the_default_key(server):
    demo, alt = server.client("demo"), server.client("alt")
    image = encrypted(server, demo, DATA, "default")
    assert image["__system__cmkid"] == "ims/default"
    assert demo.download(image["id"]).body == DATA
    assert demo.share([image["id"]], [alt.project_id])["error_code"] == "IMG.0098"


def test_keys_that_an_import_may_not_have(server):
    demo, alt = server.client("demo"), server.client("alt")
    mine, off, theirs = (key_of(server, client) for client in (demo, demo, alt))
    assert keys(server, "disable", off) == (0, "")
    url = put(server, demo.project_id, "refused", b"r" * 100)
    body = {"name": "refused", "image_url": url, "min_disk": 1}
    system_of_iso = {"type": "IsoImage", "os_version": "Debian GNU/Linux 12.0.0 64bit"}
    for path, change, code in [
            ("/v2/cloudimages/action", {"cmk_id": str(uuid.uuid4())}, "IMG.0095"),
            ("/v2/cloudimages/action", {"cmk_id": off}, "IMG.0097"),
            (DATA_DISKS, {"cmk_id": theirs}, "IMG.0099"),
            ("/v2/cloudimages/action", {"cmk_id": mine, "type": "BMS"}, "IMG.0118"),
            ("/v2/cloudimages/action", {"cmk_id": mine, "type": "Ironic"}, "IMG.0118"),
            ("/v2/cloudimages/action", {"cmk_id": mine, **system_of_iso}, "IMG.0167")]:
        answer = demo.post(path, {**body, **change})
        assert (answer.status, answer.code()) == (400, code), answer
    assert "refused" not in names(demo)
    job = system(demo, url, name="plain", cmk_id="")
    assert "__system__cmkid" not in demo.show(job["entities"]["image_id"])


def test_a_failed_import_leaves_neither_bytes_nor_a_key(fresh_server):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    key = key_of(server, demo)
    for data, code in ((iso(), "IMG.0167"), (qcow2(8 << 30), "IMG.0055")):
        url = put(server, demo.project_id, "bad", data)
        assert failed(system(demo, url, cmk_id=key), code)
    hostile = bytearray(qcow2(1 << 30))
    hostile[8:20] = struct.pack(">QI", 0x20000, 11)  # a backing file
    hostile[0x20000:0x20000 + 11] = b"/etc/passwd"
    url = put(server, demo.project_id, "hostile", bytes(hostile))
    assert failed(system(demo, url, cmk_id=key), "IMG.0057")
    assert names(demo) == set() and blobs(server) == []
    assert server.database.rows("SELECT * FROM image_keys") == []
    harness.wait_until(lambda: server.stored_bytes() == 0, what="the end of the bytes")


def test_without_a_key_service_no_import_is_encrypted(fresh_server):
    server = fresh_server(config=CONFIG + '[keys]\ndriver = "none"\n')
    demo = server.client("demo")
    url = put(server, demo.project_id, "disk", b"d")
    body = {"name": "x", "image_url": url, "min_disk": 1, "cmk_id": str(uuid.uuid4())}
    for path in ("/v2/cloudimages/action", DATA_DISKS):
        answer = demo.post(path, body)
        assert (answer.status, answer.code()) == (400, "IMG.0100"), answer


def test_an_encrypted_import_goes_on_after_a_kill(fresh_server, rng):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    key = key_of(server, demo)
    data = rng.randbytes(48 << 20)
    url = put(server, demo.project_id, "big", data)
    body = {"name": "big", "image_url": url, "min_disk": 1, "cmk_id": key}
    job_id = demo.post("/v2/cloudimages/action", body).expect(200).json()["job_id"]
    harness.wait_until(lambda: server.stored_bytes() > (1 << 20) * rng.randrange(1, 40)
                       or demo.job(job_id)["status"] == "SUCCESS", what="a part of the import")
    server.restart()
    job = demo.wait_job(job_id, 60)
    assert job["status"] == "SUCCESS", job
    image = job["entities"]["image_id"]
    assert harness.md5(demo.download(image).body) == harness.md5(data)
    assert demo.listed() == [image]
    assert len(server.database.rows("SELECT * FROM image_keys")) == 1
    harness.wait_until(lambda: len(server.store.files()) == 1, what="no stray byte")


@pytest.mark.parametrize("target", ["raw", "qcow2", "zvhd2"])
def test_an_export_has_the_plain_bytes(server, target):
    demo = server.client("demo")
    data = DATA.ljust(1 << 20, b"\0")
    image = encrypted(server, demo, data, key_of(server, demo))["id"]
    name = f"plain.{target}"
    assert exported(demo, image, name, file_format=target)["status"] == "SUCCESS"
    file = bucket(server, demo) / name
    if target == "raw":
        assert file.read_bytes() == data
        return
    job = system(demo, f"out:{name}")  # and back again, this time not encrypted
    back = job["entities"]["image_id"]
    assert exported(demo, back, name + ".raw", file_format="raw")["status"] == "SUCCESS"
    assert (bucket(server, demo) / (name + ".raw")).read_bytes() == data
    assert not list((server.directory / "convert").iterdir()), "nothing plain stays behind"


def test_what_an_export_needs_of_the_key(server):
    demo = server.client("demo")
    key = key_of(server, demo)
    image = encrypted(server, demo, DATA, key)["id"]

    def refused(code, **body):
        answer = ask(demo, image, "refused", **body)
        assert (answer.status, answer.code()) == (400, code), answer
        assert not (bucket(server, demo) / "refused").exists()
    refused("IMG.0105", is_quick_export=True)
    refused("IMG.0105", is_quick_export=True, file_format="raw")
    assert keys(server, "revoke", key, "--project", demo.project_id) == (0, "")
    refused("IMG.0103", file_format="raw")
    assert keys(server, "grant", key, "--project", demo.project_id) == (0, "")
    assert keys(server, "disable", key) == (0, "")
    refused("IMG.0102", file_format="raw")
    assert keys(server, "enable", key) == (0, "")
    assert exported(demo, image, "allowed", file_format="raw")["status"] == "SUCCESS"
    plain = copied(demo, image)["entities"]["image_id"]
    assert exported(demo, plain, "quick", is_quick_export=True)["status"] == "SUCCESS"
    assert (bucket(server, demo) / "quick").read_bytes() == DATA
