"""Images written to files in buckets (contract: ims-api 6.8)."""

import gzip
import struct
import subprocess

import pytest

import harness
from test_imports import CONFIG, GIB, failed, put, qcow2
from test_stored_conditions import stopped

@pytest.fixture(scope="module", name="server")
def server_with_buckets(tmp_path_factory):
    started = harness.Server(tmp_path_factory.mktemp("exports") / "data", config=CONFIG).start()
    for user in ("demo", "alt"):
        bucket(started, started.client(user)).mkdir(parents=True)
    yield started
    started.finish()


def bucket(server, client):
    return server.directory / "buckets" / client.project_id / "out"


def ask(client, image, name, path="/v1", **body):
    return client.post(f"{path}/cloudimages/{image}/file", {"bucket_url": f"out:{name}", **body})


def exported(client, image, name, **body):
    return client.wait_job(ask(client, image, name, **body).expect(200).json()["job_id"])


def qemu(*arguments):
    done = subprocess.run(["qemu-img", *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", name="disk")
def a_disk(tmp_path_factory):
    """A raw disk with some data on it, and the same one as qcow2."""
    raw = tmp_path_factory.mktemp("disk") / "disk.raw"
    with raw.open("wb") as out:
        out.truncate(8 << 20)
        for place in (0, 3 << 20, (8 << 20) - 512):
            out.seek(place)
            out.write(bytes(range(256)) * 2)
    packed = raw.with_suffix(".qcow2")
    qemu("convert", "-f", "raw", "-O", "qcow2", raw, packed)
    return raw, packed


def test_the_bytes_as_they_are(server):
    demo = server.client("demo")
    data = b"any bytes" * 1000
    image = demo.create_image(data, name="plain")["id"]
    job = exported(demo, image, "dir/plain.raw", is_quick_export=True, file_format="vhd")
    assert (job["status"], job["job_type"], job["entities"]) \
        == ("SUCCESS", "imsNativeExportImageJob", {"image_id": image})
    assert (bucket(server, demo) / "dir/plain.raw").read_bytes() == data
    again = exported(demo, image, "dir/plain.raw", is_quick_export=True)
    assert failed(again, "IMG.0070")
    assert again["entities"] == {"image_id": image}
    assert (bucket(server, demo) / "dir/plain.raw").read_bytes() == data


def test_the_stored_format_is_not_converted(server):
    demo = server.client("demo")
    data = qcow2(GIB)
    image = demo.create_image(data, disk_format="qcow2")["id"]
    assert exported(demo, image, "same.qcow2", file_format="qcow2")["status"] == "SUCCESS"
    assert (bucket(server, demo) / "same.qcow2").read_bytes() == data


@pytest.mark.parametrize("kind", ["aki", "ari", "ami"])
def test_a_kernel_is_raw_as_it_is(server, kind):
    """It could not be had: raw cannot be converted to raw."""
    demo = server.client("demo")
    data = b"no disk, and no whole sector" * 99
    image = demo.create_image(data, disk_format=kind, container_format=kind)["id"]
    assert exported(demo, image, f"{kind}.raw", file_format="raw")["status"] == "SUCCESS"
    assert (bucket(server, demo) / f"{kind}.raw").read_bytes() == data


@pytest.mark.parametrize("container,stored,asked", [
    ("compressed", "qcow2", "qcow2"), ("compressed", "qcow2", "raw"), ("compressed", "raw", "raw"),
    ("docker", "raw", "raw"), ("ovf", "raw", "raw")])
def test_what_is_wrapped_is_exported_as_it_is_alone(server, container, stored, asked):
    """The job succeeded, and what it called a disk was an archive."""
    demo = server.client("demo")
    data = gzip.compress(qcow2(GIB))
    image = demo.create_image(data, disk_format=stored, container_format=container)["id"]
    name = f"{container}.{stored}.{asked}"
    answer = ask(demo, image, name, file_format=asked)
    assert (answer.status, answer.code()) == (400, "IMG.0072"), answer
    assert container in answer.json()["error"]["message"]
    assert not (bucket(server, demo) / name).exists()
    job = exported(demo, image, name, file_format=asked, is_quick_export=True)
    assert job["status"] == "SUCCESS", job
    assert (bucket(server, demo) / name).read_bytes() == data


QEMU_NAMES = {"raw": "raw", "qcow2": "qcow2", "vhd": "vpc", "vmdk": "vmdk"}


@pytest.mark.parametrize("target", QEMU_NAMES)
@pytest.mark.parametrize("stored", ["raw", "qcow2"])
def test_a_disk_is_the_same_in_every_format(server, disk, stored, target):
    demo = server.client("demo")
    raw, packed = disk
    source = raw if stored == "raw" else packed
    image = demo.create_image(source.read_bytes(), disk_format=stored)["id"]
    name = f"{stored}-to.{target}"
    assert exported(demo, image, name, file_format=target)["status"] == "SUCCESS"
    qemu("compare", "-f", "raw", "-F", QEMU_NAMES[target], raw, bucket(server, demo) / name)


@pytest.mark.parametrize("target", ["zvhd", "zvhd2"])
def test_formats_of_the_cloud_come_back_as_they_went(server, disk, target):
    demo = server.client("demo")
    raw, packed = disk
    image = demo.create_image(packed.read_bytes(), disk_format="qcow2")["id"]
    assert exported(demo, image, f"there.{target}", file_format=target)["status"] == "SUCCESS"
    body = {"name": "back", "image_url": f"out:there.{target}", "min_disk": 1}
    answer = demo.post("/v2/cloudimages/action", body).expect(200)
    job = demo.wait_job(answer.json()["job_id"])
    assert job["status"] == "SUCCESS", job
    back = demo.show(job["entities"]["image_id"])
    assert (back["disk_format"], back["virtual_size"]) == (target, 8 << 20)
    assert exported(demo, back["id"], f"{target}.raw", file_format="raw")["status"] == "SUCCESS"
    assert (bucket(server, demo) / f"{target}.raw").read_bytes() == raw.read_bytes()


def test_only_the_owner_exports(server):
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(b"x")["id"]
    answer = ask(alt, image, "x", is_quick_export=True)
    assert (answer.status, answer.code()) == (404, "IMG.0144")
    demo.share([image], [alt.project_id])
    alt.answer_share([image])
    answer = ask(alt, image, "x", is_quick_export=True)
    assert (answer.status, answer.code()) == (400, "IMG.0047")
    assert list(bucket(server, alt).iterdir()) == []


@pytest.mark.parametrize("body,code", [
    ({"file_format": "vdi"}, "IMG.0072"), ({"file_format": None}, "IMG.0072"), ({}, "IMG.0072"),
    ({"file_format": "raw", "bucket_url": None}, "IMG.0017"),
    ({"file_format": "raw", "bucket_url": "out"}, "IMG.0017"),
    ({"file_format": "raw", "bucket_url": "out:"}, "IMG.0073"),
    ({"file_format": "raw", "bucket_url": ":x"}, "IMG.0068"),
    ({"file_format": "raw", "bucket_url": "out:never/../never"}, "IMG.0075"),
    ({"file_format": "raw", "bucket_url": "out:/never"}, "IMG.0075"),
    ({"file_format": "raw", "is_quick_export": 1}, "IMG.0001")])
def test_fields_are_judged_each_by_its_code(server, body, code):
    demo = server.client("demo")
    answer = ask(demo, demo.create_image(b"x")["id"], "never", **body)
    assert (answer.status, answer.code()) == (400, code), answer
    assert not (bucket(server, demo) / "never").exists()


def test_conditions_of_the_image(fresh_server):
    server = fresh_server(config=CONFIG)
    demo, admin = server.client("demo"), server.client("admin")
    whole, backed, iso, child = (demo.create_image(b"x")["id"] for _ in range(4))
    # As an administrator sets it, in Python's letters.
    forbidden = admin.create_image(b"x", owner=demo.project_id, export_forbidden="True")["id"]
    queued = demo.create_image()["id"]
    public = admin.create_image(b"x", visibility="public")["id"]
    with stopped(server) as database:
        database.set_properties(whole, __whole_image="true")
        database.set_properties(backed, __backup_id="b")
        database.set_properties(iso, virtual_env_type="IsoImage")
        database.set_properties(public, export_forbidden="TRUE")
        database.set_properties(child, __originalimagename=public)
    demo, admin = server.client("demo"), server.client("admin")
    codes = {whole: "IMG.0128", backed: "IMG.0080", iso: "IMG.0167", forbidden: "IMG.0079",
             child: "IMG.0079", queued: "IMG.0046"}
    for image, code in codes.items():
        assert ask(demo, image, "x", is_quick_export=True).code() == code
    assert ask(admin, public, "x", is_quick_export=True).code() == "IMG.0077"


def test_a_disk_that_is_too_large_to_convert(server):
    demo = server.client("demo")
    image = demo.create_image(qcow2(3000 * GIB), disk_format="qcow2")["id"]
    answer = ask(demo, image, "large.vhd", file_format="vhd")
    assert (answer.status, answer.code()) == (400, "IMG.0160"), answer
    assert str(3000 * GIB) in answer.json()["error"]["message"]
    assert exported(demo, image, "large.qcow2", file_format="qcow2")["status"] == "SUCCESS"


def test_a_disk_whose_tables_are_damaged(server, disk):
    demo = server.client("demo")
    data = bytearray(disk[1].read_bytes())
    first_table, = struct.unpack_from(">Q", data, 40)
    struct.pack_into(">Q", data, first_table, 1 << 63 | 0x40200)  # no place where a table may lie
    image = demo.create_image(bytes(data), disk_format="qcow2")["id"]
    assert failed(exported(demo, image, "damaged.raw", file_format="raw"), "IMG.0072", "qemu-img",
                  "(status 1, signal 0): ")
    assert not (bucket(server, demo) / "damaged.raw").exists()


def test_no_bucket_fails_the_job(server):
    demo = server.client("demo")
    image = demo.create_image(b"x")["id"]
    answer = demo.post(f"/v2.1/cloudimages/{image}/file",
                       {"bucket_url": "nowhere:x", "is_quick_export": "TRUE"}).expect(200)
    assert failed(demo.wait_job(answer.json()["job_id"]), "IMG.0069")


def test_the_trail_tells_of_the_order_and_the_end(server):
    demo = server.client("demo")
    image = demo.create_image(b"x", name="told")["id"]
    job = exported(demo, image, "told", is_quick_export=True)

    def told():
        return [event["outcome"] for event in server.events()
                if event["event_type"] == "image.export" and event.get("job_id") == job["job_id"]]
    harness.wait_until(lambda: told() == ["pending", "success"], what="both events")


def test_killed_anywhere_an_export_ends_with_one_whole_file(fresh_server, rng):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    place = bucket(server, demo)
    place.mkdir(parents=True)
    data = rng.randbytes(1 << 20) * 64
    image = demo.create_image(data)["id"]
    for number in range(4):
        job_id = ask(demo, image, f"n{number}", is_quick_export=True).expect(200).json()["job_id"]
        until = harness.time.monotonic() + rng.uniform(0.0, 0.15)
        harness.wait_until(lambda end=until: harness.time.monotonic() >= end, what="a moment")
        server.restart()
        demo = server.client("demo")
        job = demo.wait_job(job_id)
        assert job["status"] == "SUCCESS", job
        assert (place / f"n{number}").read_bytes() == data
    assert sorted(path.name for path in place.iterdir()) == [f"n{n}" for n in range(4)]


def test_an_import_of_what_was_exported_is_the_same(server, disk):
    demo = server.client("demo")
    raw, _ = disk
    url = put(server, demo.project_id, "again.raw", raw.read_bytes(), "inbox")
    answer = demo.post("/v2/cloudimages/action", {"name": "again", "image_url": url,
                                                  "min_disk": 1}).expect(200)
    image = demo.wait_job(answer.json()["job_id"])["entities"]["image_id"]
    assert exported(demo, image, "again.raw", file_format="raw")["status"] == "SUCCESS"
    assert (bucket(server, demo) / "again.raw").read_bytes() == raw.read_bytes()
