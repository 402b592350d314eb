"""Several stores of image data (contract: glance-v2 1.1, 3.2, 3.7, 3.9, 5; decision 0035).

The first store is whatever the run has, the further ones are directories; in a run with an object
store one of them lies there, too.
"""

import subprocess

import pytest

import harness
import s3
import store
from keyring import new_key
from test_copy import copied
from test_imports import put as put_into_bucket

MIB = 1 << 20
OBJECTS = f"""
[store.objects]
driver = "s3"
description = "Objects"
endpoint = "{store.URL}"
bucket = "further-images"
prefix = "further/"
access_key = "{s3.ACCESS_KEY}"
secret_key = "{s3.SECRET_KEY}"
part_size_mib = 5
"""


class Several:
    """A server with further stores, which can be taken out of its configuration."""

    def __init__(self, fresh_server, folder, head=""):
        self.folder = folder
        self.head = head
        self.names = ["cold", "fast"]
        self.path = folder / "stores.toml"
        self.write(self.names)
        self.server = fresh_server(config=self.path, environment={
            "VITRINE_STORAGE_SWEEP_SECONDS": "1", "VITRINE_STORAGE_STRAY_SECONDS": "0"})

    def write(self, names):
        sections = [f'[store.{name}]\ndriver = "file"\ndirectory = "{self.folder / name}"\n'
                    f'description = "{name} disks"\n' for name in names]
        self.path.write_text('[quota]\nimage = 1000\n' + self.head + "".join(sections))

    def restart_with(self, *names):
        assert self.server.stop() == 0
        self.write(names)
        self.server.start()

    def paths(self, name):
        """The files of the blobs in a further store, staged or stored."""
        return [path for path in (self.folder / name).rglob("*")
                if path.is_file() and path.name not in ("lock", "vitrine-store")]

    def files(self, name):
        """Their sizes, those of the first store too."""
        paths = self.server.store.files() if name == "main" else self.paths(name)
        return sorted(path.stat().st_size for path in paths)

    def check(self):
        return self.server.check_blobs()[1]


@pytest.fixture
def several(fresh_server, tmp_path):
    return Several(fresh_server, tmp_path)


def put(client, data, name=None, **fields):
    """An image whose data was uploaded to that store."""
    image = client.create_image(**fields)
    headers = {"X-Image-Meta-Store": name} if name else {}
    client.upload(image["id"], data, **headers).expect(204)
    return client.show(image["id"])


def metric(client, line):
    return line in client.get("/metrics").text.splitlines()


def test_clients_are_told_of_the_stores(several):
    server = several.server
    demo, admin = server.client("demo"), server.client("admin")
    told = [{"id": "main", "default": "true"}, {"id": "cold", "description": "cold disks"},
            {"id": "fast", "description": "fast disks"}]
    assert demo.get("/v2/info/stores").expect(200).json() == {"stores": told}
    demo.get("/v2/info/stores/detail").expect(403)
    detail = admin.get("/v2/info/stores/detail").expect(200).json()["stores"]
    assert detail[1] == {**told[1], "type": "file", "weight": 0, "properties": {
        "data_dir": str(several.folder / "cold"), "chunk_size": MIB, "thin_provisioning": False}}
    assert (detail[0]["type"], detail[0]["default"]) == (store.KIND, "true")
    assert ("s3_store_large_object_size" in detail[0]["properties"]) == (store.KIND == "s3")
    ids = [one["id"] for one in demo.get("/versions").expect(200).json()["versions"]]
    assert ids == ["v2.17", "v2.15", *(f"v2.{minor}" for minor in range(13, -1, -1))]
    demo.get("/v2.13/images").expect(200)
    demo.get("/v2.8/images").expect(200)
    made = demo.post("/v2/images", {"name": "x"}).expect(201)
    assert made.headers["OpenStack-image-store-ids"] == "main,cold,fast"
    assert "stores" not in made.json()


def test_one_store_is_as_if_there_were_none(server, demo, admin):
    demo.get("/v2/info/stores").expect(404)
    admin.get("/v2/info/stores/detail").expect(404)
    demo.get("/v2.13/images").expect(300)
    image = demo.create_image(b"some")
    assert "stores" not in image
    admin.delete(f"/v2/stores/main/{image['id']}").expect(404)
    demo.get(f"/v2/images/{image['id']}/file?prefer=main").expect(400)
    assert "OpenStack-image-store-ids" not in demo.post("/v2/images", {}).expect(201).headers
    waiting = demo.create_image()["id"]
    demo.upload(waiting, b"some", **{"X-Image-Meta-Store": "main"}).expect(400)
    demo.upload(waiting, b"some", **{"X-Image-Meta-Store": store.KIND}).expect(204)
    assert "vitrine_store_up" not in demo.get("/metrics").text


def test_data_lies_where_it_was_sent(several, rng):
    demo = several.server.client("demo")
    data = rng.randbytes(3 * MIB + 17)
    images = {name: put(demo, data + name.encode(), name) for name in ("main", "cold", "fast")}
    assert put(demo, b"no store named")["stores"] == "main"
    for name, image in images.items():
        assert image["stores"] == name
        assert demo.download(image["id"]).expect(200).body == data + name.encode()
        part = demo.download(image["id"], Range=f"bytes={len(data)}-").expect(206)
        assert part.body == name.encode()
        assert len(data) + 4 in several.files(name)
    listed = demo.get("/v2/images").expect(200).json()["images"]
    assert {image["id"]: image.get("stores") for image in listed}.items() >= {
        (image["id"], name) for name, image in images.items()}
    extension = demo.get("/v2/cloudimages?limit=10").expect(200).json()["images"]
    assert all("stores" not in image for image in extension)
    waiting = demo.create_image()
    for name in ("warm", "", "MAIN", "objects,fast", store.KIND):
        refused = demo.upload(waiting["id"], data, **{"X-Image-Meta-Store": name}).expect(400)
        assert refused.message() == f"There is no store '{name}'."
    assert demo.show(waiting["id"])["status"] == "queued"
    assert several.check() == ["4 blobs compared, 0 wrong"]
    for image in images.values():
        demo.delete(f"/v2/images/{image['id']}").expect(204)
    harness.wait_until(lambda: several.files("cold") == several.files("fast") == [] and
                       several.files("main") == [14], what="the bytes to go")


def test_the_default_is_where_all_else_goes(fresh_server, tmp_path):
    several = Several(fresh_server, tmp_path, '[buckets]\ndriver = "directory"\n'
                      '[storage]\nname = "slow"\ndefault = "fast"\n')
    demo = several.server.client("demo")
    told = demo.get("/v2/info/stores").expect(200).json()["stores"]
    assert [(one["id"], one.get("default")) for one in told] == [
        ("slow", None), ("cold", None), ("fast", "true")]
    assert put(demo, b"four")["stores"] == "fast"
    assert put(demo, b"three", "slow")["stores"] == "slow"
    url = put_into_bucket(several.server, demo.project_id, "disk.raw", b"a disk of its own")
    job = demo.wait_job(demo.post("/v2/cloudimages/action", {
        "name": "web", "image_url": url, "min_disk": 1}).expect(200).json()["job_id"])
    assert job["status"] == "SUCCESS", job
    made = demo.show(job["entities"]["image_id"])
    assert made["stores"] == "fast"
    assert several.files("fast") == [4, 17] and several.files("slow") == []
    assert several.files("main") == [5]
    exported = demo.post(f"/v1/cloudimages/{made['id']}/file", {
        "bucket_url": "files:out.raw", "is_quick_export": True}).expect(200).json()["job_id"]
    assert demo.wait_job(exported)["status"] == "SUCCESS"
    out = several.server.directory / "buckets" / demo.project_id / "files/out.raw"
    assert out.read_bytes() == b"a disk of its own"


def test_equal_content_is_kept_once_a_store(several):
    """Whoever asks for a store gets it, though the bytes lie in another."""
    demo = several.server.client("demo")
    first, second = put(demo, b"same bytes", "fast"), put(demo, b"same bytes", "fast")
    other = put(demo, b"same bytes", "cold")
    assert (several.files("fast"), several.files("cold")) == ([10], [10])
    job = copied(demo, first["id"])
    assert job["status"] == "SUCCESS"
    copy = demo.show(job["entities"]["image_id"])
    assert copy["stores"] == "fast"
    rows = several.server.database.rows("SELECT substr(id, 33), refs FROM blobs ORDER BY 1")
    assert [(row[0], int(row[1])) for row in rows] == [("@cold", 1), ("@fast", 3)]
    for image in (first, second, copy):
        assert demo.download(image["id"]).body == b"same bytes"
        demo.delete(f"/v2/images/{image['id']}").expect(204)
    harness.wait_until(lambda: several.files("fast") == [], what="the bytes to go")
    assert demo.download(other["id"]).body == b"same bytes"


def test_a_copy_whose_data_is_carried_stays_in_the_store_of_its_source(several):
    """It went to the default store, which may be another contract, or another country."""
    server = several.server
    demo = server.client("demo")
    source = put(demo, b"ten bytes.", "fast")
    key = new_key(server, "k", demo)
    job = copied(demo, source["id"], cmk_id=key)
    assert job["status"] == "SUCCESS", job
    sealed = demo.show(job["entities"]["image_id"])
    assert sealed["stores"] == "fast"
    assert several.files("fast") == [10, 26]
    plain = demo.show(copied(demo, sealed["id"])["entities"]["image_id"])
    assert plain["stores"] == "fast"
    assert [demo.download(image["id"]).body for image in (sealed, plain)] == [b"ten bytes."] * 2
    assert (several.files("main"), several.files("cold")) == ([], [])
    assert several.check()[-1] == "2 blobs compared, 0 wrong"


def test_damaged_data_is_healed_in_its_store_only(several):
    demo = several.server.client("demo")
    lost = put(demo, b"precious", "fast")
    [path] = several.paths("fast")
    path.unlink()
    put(demo, b"precious", "cold")
    demo.download(lost["id"]).expect(503)
    assert several.check()[0].startswith("missing: ")
    put(demo, b"precious", "fast")
    assert demo.download(lost["id"]).expect(200).body == b"precious"
    assert several.check() == ["2 blobs compared, 0 wrong"]


def test_a_preferred_store_must_be_one(several):
    demo, alt = several.server.client("demo"), several.server.client("alt")
    image = put(demo, b"some", "fast")
    for names in ("fast", "cold", "main,fast", "fast,cold"):
        answer = demo.get(f"/v2/images/{image['id']}/file?prefer={names}",
                          headers={"Accept": None}).expect(200)
        assert answer.body == b"some"
    for names in ("warm", "fast,warm", ""):
        demo.get(f"/v2/images/{image['id']}/file?prefer={names}").expect(400)
    alt.get(f"/v2/images/{image['id']}/file?prefer=fast").expect(404)


def test_the_only_data_of_an_image_stays(several):
    demo, alt, admin = (several.server.client(name) for name in ("demo", "alt", "admin"))
    image = put(demo, b"some", "fast")["id"]
    waiting = demo.create_image()["id"]
    for client, name, target, status, text in [
            (admin, "warm", image, 409, "The selected store warm is not available"),
            (alt, "fast", image, 404, "No image found with ID"),
            (demo, "fast", image, 403, "delete_image_location"),
            (admin, "fast", waiting, 409, "if image status is not"),
            (admin, "cold", image, 404, "is not stored in store cold."),
            (admin, "fast", image, 403, "Cannot delete image data from the only store")]:
        answer = client.delete(f"/v2/stores/{name}/{target}")
        assert (answer.status, text in answer.text) == (status, True), (name, target, answer)
    assert demo.download(image).expect(200).body == b"some"
    several.server.client().delete(f"/v2/stores/fast/{image}").expect(401)


def test_a_kill_leaves_nothing_in_a_further_store(several, rng):
    server = several.server
    demo = server.client("demo")
    kept = put(demo, b"kept", "fast")
    image = demo.create_image()
    with demo.raw(60) as connection:
        connection.send(demo.head_lines(
            "PUT", f"/v2/images/{image['id']}/file", "Content-Type: application/octet-stream",
            f"Content-Length: {40 * MIB}", "X-Image-Meta-Store: fast"))
        connection.send(rng.randbytes(12 * MIB))
        harness.wait_until(lambda: several.files("fast")[-1] >= 10 * MIB, what="some bytes")
        server.kill()
    server.start()
    demo = server.client("demo")
    assert demo.show(image["id"])["status"] == "queued"
    harness.wait_until(lambda: several.files("fast") == [4], what="the bytes to go")
    assert demo.download(kept["id"]).body == b"kept"
    demo.upload(image["id"], b"again", **{"X-Image-Meta-Store": "cold"}).expect(204)
    assert demo.show(image["id"])["stores"] == "cold"


def test_a_store_that_is_taken_out_loses_nothing(several):
    demo = several.server.client("demo")
    kept, deleted = put(demo, b"kept", "fast"), put(demo, b"deleted!", "fast")
    here = put(demo, b"kept", "cold")
    several.restart_with("cold")
    demo = several.server.client("demo")
    log = several.server.log()
    assert '"event":"store.not_configured","store":"fast","blobs":2,"bytes":12' in log
    assert demo.show(kept["id"])["stores"] == "fast"
    demo.download(kept["id"]).expect(503)
    assert demo.download(here["id"]).expect(200).body == b"kept"
    admin = several.server.client("admin")
    admin.delete(f"/v2/stores/fast/{kept['id']}").expect(409)
    waiting = demo.create_image()["id"]
    demo.upload(waiting, b"x", **{"X-Image-Meta-Store": "fast"}).expect(400)
    findings = several.check()
    assert [line.split(":")[0] for line in findings] == 2 * ["store not configured"] + [
        "3 blobs compared, 2 wrong"]
    demo.delete(f"/v2/images/{deleted['id']}").expect(204)
    several.restart_with()  # not even two stores are left
    demo = several.server.client("demo")
    assert "stores" not in demo.show(kept["id"])
    demo.download(here["id"]).expect(503)
    assert several.files("fast") == [4, 8]
    several.restart_with("cold", "fast")
    demo = several.server.client("demo")
    assert demo.download(kept["id"]).expect(200).body == b"kept"
    assert demo.download(here["id"]).expect(200).body == b"kept"
    harness.wait_until(lambda: several.files("fast") == [4], what="the deleted bytes to go")
    assert several.check() == ["2 blobs compared, 0 wrong"]


def test_strays_go_but_what_rows_know_elsewhere_stays(several):
    """Such as what the first store held, in the directory that has become a further store."""
    demo = several.server.client("demo")
    put(demo, b"kept", "cold")
    [blob] = several.paths("cold")
    moved = several.folder / "fast" / blob.name[:2] / blob.name
    moved.parent.mkdir()
    moved.write_bytes(b"kept")
    stray = several.folder / "fast/01" / ("01" * 16)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    harness.wait_until(lambda: not stray.exists(), what="a sweep")
    assert moved.exists()
    several.server.store_is_spoilt = True
    findings = several.check()
    assert findings == [f"wrong store: {blob.name}@fast, 4 bytes stored, 0 expected",
                        "1 blobs compared, 1 wrong"]


def test_the_figures_tell_the_stores_apart(several):
    demo = several.server.client("demo")
    image = put(demo, b"some bytes", "fast")
    demo.download(image["id"]).expect(200)
    for line in ('vitrine_store_seconds_count{operation="commit",store="fast"} 1',
                 'vitrine_store_seconds_count{operation="commit",store="cold"} 0',
                 'vitrine_store_up{store="main"} 1', 'vitrine_store_up{store="fast"} 1',
                 'vitrine_store_blobs{store="cold"} 0', 'vitrine_store_bytes{store="fast"} 10'):
        harness.wait_until(lambda line=line: metric(demo, line), what=line)


def test_a_store_that_fails_is_no_matter_of_the_others(several):
    demo = several.server.client("demo")
    lost, here = put(demo, b"lost", "fast"), put(demo, b"here", "cold")
    away = several.folder / "away"
    (several.folder / "fast").rename(away)
    harness.wait_until(lambda: metric(demo, 'vitrine_store_up{store="fast"} 0'), what="a zero")
    demo.get("/healthcheck/ready").expect(200)
    demo.download(lost["id"]).expect(503)
    demo.upload(demo.create_image()["id"], b"x", **{"X-Image-Meta-Store": "fast"}).expect(503)
    demo.delete(f"/v2/images/{here['id']}").expect(204)
    harness.wait_until(lambda: several.files("cold") == [], what="the bytes to go")
    away.rename(several.folder / "fast")
    harness.wait_until(lambda: metric(demo, 'vitrine_store_up{store="fast"} 1'), what="a one")
    assert demo.download(lost["id"]).expect(200).body == b"lost"


def test_a_directory_is_of_one_server(several, tmp_path):
    other = tmp_path / "other"
    for directory in (several.folder / "fast", other):
        config = tmp_path / "other.toml"
        config.write_text(f'[store.fast]\ndirectory = "{several.folder / "fast"}"\n')
        second = subprocess.run(
            [str(harness.BINARY), "serve", "--standalone", str(directory), "--listen",
             "127.0.0.1:0", "--config", str(config)], capture_output=True, text=True, check=False,
            timeout=60)
        assert (second.returncode, second.stderr) == (
            1, f"vitrine: another server works on {several.folder / 'fast'}\n")
    config.write_text(f'[store.fast]\ndirectory = "{other}/blobs"\n')
    (other / "blobs").mkdir()
    same = subprocess.run(
        [str(harness.BINARY), "serve", "--standalone", str(other), "--listen", "127.0.0.1:0",
         "--config", str(config)], capture_output=True, text=True, check=False, timeout=60)
    assert same.stderr == ("vitrine: store.fast keeps image data in the place of the first "
                           "store\n")


@store.s3_only
def test_files_and_objects_go_together(fresh_server, tmp_path, rng):
    """And while the object store is out, what lies in files is served."""
    gateway = s3.ObjectStore()
    try:
        gateway.add_bucket("further-images")
        first = store.Store(tmp_path / "data0")
        several = Several(fresh_server, tmp_path, OBJECTS.replace(store.URL, gateway.url))
        assert first.in_bucket
        demo = several.server.client("demo")
        data = rng.randbytes(12 * MIB + 1)
        images = {name: put(demo, data, name) for name in ("main", "objects", "fast")}
        for name, image in images.items():
            assert image["stores"] == name
            assert demo.download(image["id"]).expect(200).body == data
        [path] = [path for path in (gateway.root / "further-images/further").iterdir()
                  if path.name != "vitrine-store"]
        assert path.stat().st_size == len(data)
        assert several.check() == ["3 blobs compared, 0 wrong"]
        gateway.kill()
        demo.download(images["objects"]["id"]).expect(503)
        for name in ("main", "fast"):
            assert demo.download(images[name]["id"]).expect(200).body == data
        harness.wait_until(lambda: metric(demo, 'vitrine_store_up{store="objects"} 0'))
        demo.get("/healthcheck/ready").expect(200)
        demo.delete(f"/v2/images/{images['objects']['id']}").expect(204)
        gateway.start()
        harness.wait_until(lambda: not path.exists(), 60, "the object to go")
        several.server.wait_for_right_blobs()
        assert several.server.stop() == 0  # before its store goes
    finally:
        gateway.remove()
