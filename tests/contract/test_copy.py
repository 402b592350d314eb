"""POST /v1/cloudimages/{image_id}/copy (contract: ims-api 7)."""

import datetime
import os
import uuid

import pytest

import harness
from identity import builtin_only
from keyring import new_key
from test_stored_conditions import stopped


@pytest.fixture(scope="module", name="server")
def roomy_server(tmp_path_factory):
    """Copies count against the quota of images, which is shared by all tests of a project."""
    roomy = harness.Server(tmp_path_factory.mktemp("copies") / "data",
                           config="[quota]\nimage = 1000\n").start()
    yield roomy
    roomy.finish()


def copy(client, image_id, path="/v1", **body):
    return client.post(f"{path}/cloudimages/{image_id}/copy", {"name": "copy", **body})


def copied(client, image_id, **body):
    """The job of a copy, at its end."""
    return client.wait_job(copy(client, image_id, **body).expect(200).json()["job_id"])


def refused(client, image_id, status, code, **body):
    before = len(client.listed())
    answer = copy(client, image_id, **body)
    assert (answer.status, answer.code()) == (status, code), answer
    assert len(client.listed()) == before


def blobs(server):
    return [(row[0], int(row[1])) for row in server.database.rows(
        "SELECT id, refs FROM blobs ORDER BY id")]


def test_a_copy_is_a_private_image_of_the_same_bytes(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    source = demo.create_image(
        b"bytes of a disk", name="source", min_disk=3, min_ram=512, protected=True,
        visibility="shared", tags=["env=prod"], os_distro="debian",
        __description="of the source", enterprise_project_id=str(uuid.uuid4()),
        __os_version="Debian GNU/Linux 12.0.0 64bit")
    stored = server.stored_bytes()
    job = copied(demo, source["id"], description="of the copy")
    assert job["status"] == "SUCCESS" and job["job_type"] == "imsCopyImageInRegionJob"
    assert set(job["entities"]) == {"image_id", "image_name"}
    assert job["entities"]["image_name"] == "copy"
    made = demo.show(job["entities"]["image_id"])
    same = ("checksum", "os_hash_value", "size", "disk_format", "container_format", "min_disk",
            "min_ram", "os_distro", "__os_version", "tags", "owner", "status")
    assert {name: made[name] for name in same} == {name: source[name] for name in same} | {
        "status": "active", "size": 15, "checksum": harness.md5(b"bytes of a disk"),
        "os_hash_value": harness.sha512(b"bytes of a disk")}
    assert (made["name"], made["visibility"], made["protected"]) == ("copy", "private", False)
    assert made["__description"] == "of the copy"
    assert made["__originalimagename"] == source["id"]
    assert made["__data_origin"] == f"image,{source['id']}"
    assert "enterprise_project_id" not in made or made["enterprise_project_id"] == "0"
    # One blob, referred to twice: not a byte was written.
    assert server.stored_bytes() == stored
    assert [refs for _, refs in blobs(server)] == [2]
    demo.patch(f"/v2/images/{source['id']}",
               [{"op": "replace", "path": "/protected", "value": False}]).expect(200)
    demo.delete(f"/v2/images/{source['id']}").expect(204)
    assert demo.download(made["id"]).body == b"bytes of a disk"


def test_the_trail_tells_of_the_order_and_of_the_copy(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    source = demo.create_image(b"x", name="source")["id"]
    job = copied(demo, source)
    assert server.stop() == 0
    told = [(event["outcome"], event["target"], event.get("job_id"))
            for event in server.events() if event["event_type"] == "image.copy"]
    target = {"typeURI": "data/image", "project_id": demo.project_id}
    assert told == [
        ("pending", {"id": source, "name": "source", **target}, job["job_id"]),
        ("success", {"id": job["entities"]["image_id"], "name": "copy", **target}, job["job_id"])]


@pytest.mark.parametrize("path", ["/v1", "/v2.1"])
def test_both_paths_lead_to_the_copy(server, path):
    demo = server.client("demo")
    source = demo.create_image(b"x")["id"]
    answer = copy(demo, source, path).expect(200)
    assert demo.wait_job(answer.json()["job_id"])["status"] == "SUCCESS"


def test_a_path_that_is_no_alias_is_none(server):
    answer = copy(server.client("demo"), uuid.uuid4(), "/v2")
    assert (answer.status, answer.code()) == (404, "IMG.0144")


def test_what_is_received_is_copied_once_accepted_without_its_tags(server):
    demo, alt = server.client("demo"), server.client("alt")
    source = demo.create_image(b"x", tags=["of=demo"], visibility="shared")["id"]
    refused(alt, source, 404, "IMG.0144")
    demo.share([source], [alt.project_id])
    refused(alt, source, 400, "IMG.0196")
    alt.answer_share([source], "rejected")
    refused(alt, source, 400, "IMG.0196")
    alt.answer_share([source])
    made = alt.show(copied(alt, source)["entities"]["image_id"])
    assert (made["owner"], made["tags"], made["visibility"]) == (alt.project_id, [], "private")
    assert alt.download(made["id"]).body == b"x"
    assert demo.get(f"/v2/images/{made['id']}").status == 404


@builtin_only
def test_a_reader_copies_nothing(server):
    source = server.client("demo").create_image(b"x")["id"]
    refused(server.client("viewer"), source, 403, "IMG.0026")


def test_a_public_image_is_copied_by_its_owner_alone(server):
    admin = server.client("admin")
    source = admin.create_image(b"x", visibility="public")["id"]
    refused(server.client("demo"), source, 400, "IMG.0083")
    assert copied(admin, source)["status"] == "SUCCESS"
    admin.delete(f"/v2/images/{source}").expect(204)


def test_the_size_of_a_copy_costs_nothing(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    source = demo.create_image(b"sparse")["id"]
    size = 1 << 40
    with stopped(server) as database:
        file, = server.store.files()
        os.truncate(file, size)
        database.rows("UPDATE images SET size = ?, virtual_size = ?", size, size)
        database.rows("UPDATE blobs SET size = ?", size)
    demo = server.client("demo")
    blocks = file.stat().st_blocks
    job = copied(demo, source)
    assert job["status"] == "SUCCESS"
    begun, ended = (datetime.datetime.fromisoformat(job[name].removesuffix("Z"))
                    for name in ("begin_time", "end_time"))
    assert (ended - begun).total_seconds() < 1
    assert demo.show(job["entities"]["image_id"])["size"] == size
    assert server.store.files() == [file]
    assert file.stat().st_blocks == blocks


def test_the_state_of_the_source_is_judged(server):
    demo = server.client("demo")
    queued = demo.create_image()["id"]
    refused(demo, queued, 400, "IMG.0046")
    active = demo.create_image(b"x")["id"]
    demo.post(f"/v2/images/{active}/actions/deactivate").expect(204)
    refused(demo, active, 400, "IMG.0046")
    refused(demo, uuid.uuid4(), 404, "IMG.0144")
    refused(demo, "no-uuid", 400, "IMG.0066")


def test_conditions_that_are_stored(fresh_server):
    server = fresh_server(config="[images]\ncopy_size_bytes_max = 10\n")
    demo, alt = server.client("demo"), server.client("alt")
    whole, iso, encrypted, gone, large, fits = (
        demo.create_image(data)["id"]
        for data in (b"a", b"b", b"c", b"d", b"more than 10", b"10 exactly"))
    demo.share([encrypted], [alt.project_id])
    alt.answer_share([encrypted])
    key = new_key(server, "key", demo)
    with stopped(server) as database:
        database.set_properties(whole, __whole_image="true")
        database.set_properties(iso, virtual_env_type="IsoImage")
        database.set_properties(encrypted, __system__cmkid=key)
        database.set_properties(gone, __system__cmkid="nowhere")
    demo, alt = server.client("demo"), server.client("alt")
    refused(demo, whole, 400, "IMG.0130")
    refused(demo, iso, 400, "IMG.0167")
    refused(demo, large, 400, "IMG.0059", cmk_id=new_key(server, "other", demo))
    assert copied(demo, large)["status"] == "SUCCESS"  # refers to the bytes, whatever their size
    refused(demo, gone, 400, "IMG.0101")
    refused(alt, encrypted, 400, "IMG.0197")
    assert copied(demo, fits)["status"] == "SUCCESS"


LONG = "n" * 129
FIELDS = [
    ({"name": None}, "IMG.0013"), ({"name": ""}, "IMG.0013"), ({"name": 7}, "IMG.0062"),
    ({"name": LONG}, "IMG.0002"), ({"name": " a"}, "IMG.0003"), ({"name": "a "}, "IMG.0003"),
    ({"name": "a/b"}, "IMG.0003"), ({"name": "a\tb"}, "IMG.0003"), ({"name": "a😀"}, "IMG.0003"),
    ({"description": "d" * 1025}, "IMG.0004"), ({"description": "a\nb"}, "IMG.0054"),
    ({"description": "<b>"}, "IMG.0054"), ({"description": 1}, "IMG.0001"),
    ({"enterprise_project_id": "mine"}, "IMG.0155"), ({"cmk_id": 1}, "IMG.0001")]


@pytest.mark.parametrize("body,code", FIELDS)
def test_fields_are_judged_each_by_its_code(server, body, code):
    demo = server.client("demo")
    refused(demo, demo.create_image(b"x")["id"], 400, code, **body)


@pytest.mark.parametrize("name", ["n" * 128, "a", "web 1.2_x-y", "映像 七", "Ελληνικά", "देवनागरी"])
def test_names_of_any_script(server, name):
    demo = server.client("demo")
    job = copied(demo, demo.create_image(b"x")["id"], name=name, description="d" * 1024)
    assert demo.show(job["entities"]["image_id"])["name"] == name


def test_a_body_is_needed(server):
    demo = server.client("demo")
    path = f"/v1/cloudimages/{demo.create_image(b'x')['id']}/copy"
    assert demo.post(path, body=b"").code() == "IMG.0007"
    assert demo.post(path, body=b"null").code() == "IMG.0007"
    assert demo.post(path, body=b"[]").code() == "IMG.0001"


def test_the_quota_holds_at_submission_and_in_the_job(fresh_server):
    server = fresh_server(config="[quota]\nimage = 2\n")
    demo = server.client("demo")
    source = demo.create_image(b"x")["id"]
    assert copied(demo, source)["status"] == "SUCCESS"
    refused(demo, source, 400, "IMG.0015")


def test_unique_names_hold_for_copies(fresh_server):
    server = fresh_server(config="[images]\nunique_names = true\n")
    demo = server.client("demo")
    source = demo.create_image(b"x", name="taken")["id"]
    refused(demo, source, 400, "IMG.0009", name="taken")


def test_an_image_is_not_copied_to_another_region(server):
    demo = server.client("demo")
    path = f"/v1/cloudimages/{demo.create_image(b'x')['id']}/cross_region_copy"
    body = {"name": "n", "region": "r", "project_name": "p", "agency_name": "a"}
    answer = demo.post(path, body)
    assert (answer.status, answer.code()) == (400, "IMG.0105")
