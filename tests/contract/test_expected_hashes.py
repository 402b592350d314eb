"""Data whose hash the client names before it is read or sent (docs/decisions/0034)."""

import base64
import hashlib
import os

import pytest

import harness
from test_imports import CONFIG, failed, imported, put, qcow2
from test_several_images import PATH, ova, untouched

DATA = b"these bytes" * 300_000  # more than a block
QUICK = "/v2/cloudimages/quickimport/action"
SYSTEM = "Debian GNU/Linux 12.0.0 64bit"
CREATES = {PATH: {}, "/v1/cloudimages/dataimages/action": {}, "/v1/cloudimages/action": {},
           QUICK: {"os_version": SYSTEM}}


@pytest.fixture(scope="module", name="server")
def server_with_buckets(tmp_path_factory):
    started = harness.Server(tmp_path_factory.mktemp("hashes") / "data", config=CONFIG).start()
    yield started
    started.finish()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def field(algorithm, data):
    value = base64.b64encode(hashlib.new(algorithm.replace("-", ""), data).digest()).decode()
    return f"{algorithm}=:{value}:"


@pytest.mark.parametrize("path", CREATES)
def test_a_file_must_be_the_expected_one(server, path):
    demo = server.client("demo")
    url = put(server, demo.project_id, "expected.raw", DATA)
    body = {"name": "expected", "image_url": url, "min_disk": 1, **CREATES[path]}
    right = imported(demo, path, {**body, "__expected_sha256": sha256(DATA).upper()})
    assert right["status"] == "SUCCESS", right
    image = demo.show(right["entities"]["image_id"])
    assert (image["status"], image["os_hash_value"]) == ("active", harness.sha512(DATA))
    assert "__expected_sha256" not in image
    check, other = untouched(demo), sha256(b"other bytes")
    wrong = imported(demo, path, {**body, "name": "never", "__expected_sha256": other})
    assert failed(wrong, "IMG.0057", sha256(DATA), other, "__expected_sha256")
    assert "image_id" not in wrong["entities"]
    check()


@pytest.mark.parametrize("path", [PATH, "/v1/cloudimages/dataimages/action", QUICK])
@pytest.mark.parametrize("value", ["", "ab", "g" * 64, sha256(b"") + "00", 7, ["x"], None])
def test_what_is_no_hash_is_refused(server, path, value):
    demo = server.client("demo")
    body = {"name": "never", "image_url": "files:x", "min_disk": 1, "os_version": SYSTEM,
            "__expected_sha256": value}
    answer = demo.post(path, body)
    assert (answer.status, answer.code()) == (400, "IMG.0001"), answer
    assert "__expected_sha256" in answer.json()["error"]["message"]
    if path == PATH:
        disk = {"image_url": "files:y", "min_disk": 1, "__expected_sha256": value}
        of_disk = demo.post(path, {**body, "__expected_sha256": sha256(b""), "data_images": [disk]})
        assert (of_disk.status, of_disk.code()) == (400, "IMG.0001"), of_disk
    image = demo.create_image()["id"]
    register = demo.put(f"/v1/cloudimages/{image}/upload",
                        {"image_url": "files:x", "__expected_sha256": value})
    assert (register.status, register.code()) == (400, "IMG.0001")
    assert demo.show(image)["status"] == "queued"


def test_a_failed_register_waits_with_the_reason(server):
    demo = server.client("demo")
    image = demo.create_image(name="register")["id"]
    url = put(server, demo.project_id, "register.raw", DATA)
    path, stored = f"/v1/cloudimages/{image}/upload", server.stored_bytes()
    other = sha256(b"other")
    ask = lambda value: demo.wait_job(
        demo.put(path, {"image_url": url, "__expected_sha256": value}).expect(200).json()["job_id"])
    assert failed(ask(other), "IMG.0057", sha256(DATA), other)
    shown = demo.show(image)
    assert (shown["status"], shown["size"], server.stored_bytes()) == ("queued", None, stored)
    reason = shown["os_glance_upload_error"]
    assert sha256(DATA) in reason and other in reason
    assert ask(sha256(DATA))["status"] == "SUCCESS"
    assert demo.download(image).body == DATA


def test_damaged_data_is_told_by_its_hash_and_not_by_its_format(server):
    demo = server.client("demo")
    whole = qcow2(1 << 30)
    url = put(server, demo.project_id, "cut.qcow2", whole[:1000])
    body = {"name": "cut", "image_url": url, "min_disk": 1, "__expected_sha256": sha256(whole)}
    assert failed(imported(demo, PATH, body), "IMG.0057", sha256(whole), sha256(whole[:1000]))


def test_of_several_files_each_has_its_own(server):
    demo = server.client("demo")
    system, data = os.urandom(1000), os.urandom(1000)
    body = {"name": "both", "min_disk": 1, "__expected_sha256": sha256(system),
            "image_url": put(server, demo.project_id, "both-system", system)}
    disk = {"min_disk": 1, "image_url": put(server, demo.project_id, "both-data", data)}
    check = untouched(demo)
    swapped = imported(demo, PATH, {**body, "data_images": [
        {**disk, "__expected_sha256": sha256(system)}]})
    assert failed(swapped, "IMG.0057", "both-data1", sha256(data))
    check()
    fine = imported(demo, PATH, {**body, "data_images": [
        {**disk, "__expected_sha256": sha256(data)}]})
    assert fine["status"] == "SUCCESS", fine


def test_of_an_archive_it_is_that_of_the_whole_file(server):
    demo = server.client("demo")
    archive = ova(("a", b"first"), ("b", b"second"))
    url = put(server, demo.project_id, "hashed.ova", archive)
    body = {"name": "hashed", "image_url": url, "min_disk": 1}
    check = untouched(demo)
    wrong = imported(demo, PATH, {**body, "__expected_sha256": sha256(b"first")})
    assert failed(wrong, "IMG.0057", sha256(archive), sha256(b"first"))
    check()
    right = imported(demo, PATH, {**body, "__expected_sha256": sha256(archive)})
    assert right["status"] == "SUCCESS", right
    assert len(right["entities"]["sub_jobs_list"]) == 2


@pytest.mark.parametrize("header", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_an_upload_must_have_its_digest(server, header, algorithm):
    demo = server.client("demo")
    image, stored = demo.create_image()["id"], server.stored_bytes()
    refused = demo.upload(image, DATA + algorithm.encode(), **{header: field(algorithm, DATA)})
    assert refused.status == 400, refused
    found, expected = (hashlib.new(algorithm.replace("-", ""), data).hexdigest()
                       for data in (DATA + algorithm.encode(), DATA))
    shown = demo.show(image)
    assert (shown["status"], shown["size"]) == ("queued", None)
    for text in (refused.body.decode(), shown["os_glance_upload_error"]):
        assert found in text and expected in text and header in text
    assert server.stored_bytes() == stored
    demo.upload(image, DATA, **{header: f"md5=:AAAA:, {field(algorithm, DATA)}"}).expect(204)
    assert demo.show(image)["status"] == "active"


def test_all_digests_of_an_upload_count(server):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    both = f"{field('sha-256', DATA)}, {field('sha-512', b'other')}"
    demo.upload(image, DATA, **{"Content-Digest": both}).expect(400)
    assert demo.show(image)["status"] == "queued"
    demo.upload(image, b"", **{"Content-Digest": field("sha-256", b"")}).expect(204)


@pytest.mark.parametrize("value", ["sha-256=abc", "sha-256=:AAAA:", "sha-512"])
def test_a_digest_that_cannot_be_compared_is_refused(server, value):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    refused = demo.upload(image, DATA, **{"Content-Digest": value}).expect(400)
    assert "Content-Digest" in refused.body.decode()
    assert demo.show(image)["status"] == "queued"


def test_the_field_is_no_property(server):
    """Nobody would compare it, and images of servers would inherit it."""
    demo = server.client("demo")
    demo.post("/v2/images", {"name": "x", "__expected_sha256": sha256(DATA)}).expect(403)
    image = demo.create_image(DATA)["id"]
    demo.patch(f"/v2/images/{image}", [{"op": "add", "path": "/__expected_sha256", "value": "x"}]) \
        .expect(403)
    answer = demo.request("PATCH", f"/v2/cloudimages/{image}", json=[
        {"op": "add", "path": "/__expected_sha256", "value": "x"}])
    assert (answer.status, answer.code()) == (400, "IMG.0105")
