"""Images from servers, volumes and backups (contract: ims-api 6.3.3 to 6.3.5, 6.6), with a stand-in
for Nova and Cinder that answers as the real ones do."""

import uuid

import pytest

import harness
import identity
import signing

JOBS = "[jobs]\nlease_seconds = 1\npoll_seconds = 1\n[quota]\nimage = 1000\n"
DEBIAN = "Debian GNU/Linux 12.0.0 64bit"


@pytest.fixture(name="start")
def start_server(openstack, fresh_server):
    """Starts a server beside the stand-in; variables of its environment may be given."""
    def start(**environment):
        server = fresh_server(config=JOBS + openstack.config, environment=environment)
        openstack.image_url = server.url
        return server
    return start


@pytest.fixture(name="server")
def server_with_cloud(start):
    return start()


def begin(client, body, path="/v2/cloudimages/action"):
    return client.post(path, body).expect(200).json()["job_id"]


def made(client, body, path="/v2/cloudimages/action"):
    return client.wait_job(begin(client, body, path), 60)


def whole(client, body):
    return made(client, body, "/v1/cloudimages/wholeimages/action")


def failed(job, code, *words):
    assert (job["status"], job["error_code"]) == ("FAIL", code), job
    for word in words:
        assert word in job["fail_reason"], job
    assert "image_id" not in job["entities"]


def names(client):
    return {image["name"] for image in client.get("/v2/images?limit=1000").json()["images"]}


def told_images(server, job, count):
    """The images that the trail says the job has made, once there are so many."""
    def told():
        found = sorted(event["target"]["id"] for event in server.events()
                       if event.get("job_id") == job["job_id"] and event["action"] == "create"
                       and event["outcome"] == "success")
        return found if len(found) >= count else None
    return harness.wait_until(told, 30, f"{count} events")


def client_after(openstack, server, image, **properties):
    """A client of the server that started again with those properties of an image."""
    server.kill()
    server.database.set_properties(image, **properties)
    openstack.image_url = server.start().url
    return server.client("demo")


def expect_image(image, expected):
    assert {name: image.get(name) for name in expected} == expected


def test_a_server_with_a_local_disk(openstack, server):
    demo = server.client("demo")
    base = demo.create_image(b"base")["id"]
    demo = client_after(openstack, server, base, export_forbidden="true")
    made_of = openstack.add_server(b"s" * 5000, image=base)
    job = made(demo, {"name": "snap1", "instance_id": made_of, "description": "before upgrade",
                      "min_ram": 512, "tags": ["tier.db", "plain"]})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsCreateImageByInstance"), job
    image = demo.show(job["entities"]["image_id"])
    assert job["entities"] == {"image_id": image["id"], "image_name": "snap1"}
    assert sorted(image["tags"]) == ["plain", "tier=db"]
    expect_image(image, {
        "name": "snap1", "status": "active", "owner": demo.project_id, "visibility": "private",
        "size": 5000, "min_ram": 512, "min_disk": 1, "checksum": harness.md5(b"s" * 5000),
        "__description": "before upgrade", "__data_origin": f"instance,{made_of}",
        "__originalimagename": base, "__os_version": DEBIAN, "__os_type": "Linux",
        "__imagetype": "private", "virtual_env_type": "FusionCompute",
        "export_forbidden": "true"})
    assert demo.download(image["id"]).body == b"s" * 5000
    assert {token for _, _, token, _ in openstack.asked} == {demo.token}
    assert openstack.servers[made_of]["task"] is None
    assert told_images(server, job, 1) == [image["id"]]


def test_a_server_that_starts_from_a_volume_in_use(openstack, server):
    demo = server.client("demo")
    base = demo.create_image(b"base")["id"]
    data = b"v" * 9000
    root, other = openstack.add_volume(data, size=3, image=base), openstack.add_volume(b"other")
    made_of = openstack.add_server(volumes=[root, other], status="SHUTOFF")
    job = made(demo, {"name": "snap2", "instance_id": made_of})
    assert job["status"] == "SUCCESS", job
    image = demo.show(job["entities"]["image_id"])
    expect_image(image, {"name": "snap2", "status": "active", "disk_format": "raw", "min_disk": 3,
                         "size": 9000, "__data_origin": f"instance,{made_of}",
                         "__originalimagename": base})
    assert demo.download(image["id"]).body == data
    assert openstack.snapshots == {}
    assert set(openstack.volumes) == {root, other}, "the copy is gone"
    assert len(openstack.deleted) == 2


def test_a_volume(openstack, server):
    demo = server.client("demo")
    volume = openstack.add_volume(b"d" * 700, size=7)
    job = made(demo, {"name": "sys1", "volume_id": volume, "os_version": DEBIAN, "type": "BMS",
                      "max_ram": 4096, "image_tags": [{"key": "a", "value": "b"}]})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsVolumeCreateImageJob"), job
    image = demo.show(job["entities"]["image_id"])
    assert image["tags"] == ["a=b"]
    expect_image(image, {"name": "sys1", "min_disk": 7, "max_ram": "4096", "size": 700,
                         "virtual_env_type": "Ironic", "__data_origin": f"volume,{volume}",
                         "__os_version": DEBIAN, "__platform": "Debian"})
    assert set(openstack.volumes) == {volume}
    assert openstack.volumes[volume]["status"] == "available"
    assert openstack.deleted == set(), "a free volume is read itself"


def test_a_volume_in_use_is_copied_first(openstack, server):
    demo = server.client("demo")
    volume = openstack.add_volume(b"d" * 700)
    openstack.add_server(volumes=[openstack.add_volume(b"root"), volume])
    job = made(demo, {"name": "sys2", "volume_id": volume, "os_version": DEBIAN})
    assert job["status"] == "SUCCESS", job
    assert demo.download(job["entities"]["image_id"]).body == b"d" * 700
    assert (openstack.snapshots, len(openstack.volumes)) == ({}, 2)


def volumes_body(*volumes):
    return {"data_images": [{"name": f"d{n}", "volume_id": volume}
                            for n, volume in enumerate(volumes, 1)]}


def test_images_of_several_volumes(openstack, server):
    demo = server.client("demo")
    windows = demo.create_image(b"base")["id"]
    demo = client_after(openstack, server, windows, __os_type="Windows")
    free, used = openstack.add_volume(b"f" * 300, size=3), openstack.add_volume(b"u" * 400)
    openstack.add_server(volumes=[openstack.add_volume(b"root", image=windows), used])
    body = volumes_body(free, used)
    body["data_images"][0].update(tags=["tier.db"], description="the first")
    job = made(demo, {"name": "ignored", "description": "ignored", **body})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsVolumesToSysDataImagesJob"), job
    entities = job["entities"]
    parts = entities["sub_jobs_result"]
    assert [part["job_id"] for part in parts] == entities["sub_jobs_list"]
    assert [(part["job_type"], part["status"], part["error_code"]) for part in parts] \
        == [("imsCopyVolumeToImageJob", "SUCCESS", None)] * 2
    assert (entities["image_id"], entities["image_name"]) \
        == (parts[0]["entities"]["image_id"], "d1")
    first, second = (demo.show(part["entities"]["image_id"]) for part in parts)
    expect_image(first, {
        "name": "d1", "size": 300, "min_disk": 3, "tags": ["tier=db"], "status": "active",
        "virtual_env_type": "DataImage", "__data_origin": f"volume,{free}",
        "__description": "the first", "__os_type": "Linux",
        "__os_version": "Other Linux(64 bit)"})
    expect_image(second, {
        "name": "d2", "size": 400, "tags": [], "__data_origin": f"volume,{used}",
        "__os_type": "Windows", "__os_version": "Other Windows(64 bit)"})
    assert demo.download(second["id"]).body == b"u" * 400
    assert (openstack.snapshots, len(openstack.volumes)) == ({}, 3)
    assert told_images(server, job, 2) == sorted([first["id"], second["id"]])


def test_one_of_several_volumes_fails_alone(openstack, server):
    demo = server.client("demo")
    volumes = [openstack.add_volume(b"1"), openstack.add_volume(b"2", encrypted=True),
               openstack.add_volume(b"3")]
    job = made(demo, volumes_body(*volumes))
    failed(job, "IMG.0105", "image d2", "encrypted")
    assert [(part["status"], part["error_code"]) for part in job["entities"]["sub_jobs_result"]] \
        == [("SUCCESS", None), ("FAIL", "IMG.0105"), ("SUCCESS", None)]
    assert names(demo) == {"d1", "d3"}


def test_volumes_of_different_servers(openstack, server):
    demo = server.client("demo")
    volumes = [openstack.add_volume(b"v") for _ in range(2)]
    for volume in volumes:
        openstack.add_server(volumes=[openstack.add_volume(b"root"), volume])
    failed(made(demo, volumes_body(*volumes)), "IMG.0140")
    assert names(demo) == set()
    assert {method for method, _, _, _ in openstack.asked} == {"GET"}


def test_the_fields_of_several_volumes(openstack, server):
    demo = server.client("demo")
    volume = openstack.add_volume(b"v")
    one = {"name": "d", "volume_id": volume}
    for images, code in (
            ([{"name": f"d{n}", "volume_id": str(uuid.uuid4())} for n in range(25)], "IMG.0194"),
            ([one, {**one, "name": "again"}], "IMG.0123"), ([{"name": "d"}], "IMG.0120"),
            ([{"volume_id": volume}], "IMG.0013"), (["d"], "IMG.0001"), ("d", "IMG.0001"),
            ([{**one, "tags": [f"k{n}" for n in range(11)]}], "IMG.0116")):
        answer = demo.post("/v2/cloudimages/action", {"data_images": images})
        assert (answer.status, answer.code()) == (400, code), images
    assert openstack.asked == []


def test_a_killed_worker_of_several_volumes_goes_on(openstack, server):
    demo = server.client("demo")
    openstack.hold()
    job_id = begin(demo, volumes_body(openstack.add_volume(b"1"), openstack.add_volume(b"2")))

    def all_begun():
        parts = demo.job(job_id)["entities"]["sub_jobs_result"]
        return all("image_id" in part["entities"] for part in parts)
    harness.wait_until(all_begun, 30, "two images")
    server.kill()
    server.start()
    openstack.image_url = server.url
    demo = server.client("demo")
    openstack.go_on()
    job = demo.wait_job(job_id, 60)
    assert job["status"] == "SUCCESS", job
    assert len([path for method, path, _, _ in openstack.asked if method == "POST"]) == 2
    assert names(demo) == {"d1", "d2"}


def test_a_whole_server_and_its_backups(openstack, server):
    demo = server.client("demo")
    volumes = [openstack.add_volume(data, size=size) for data, size in ((b"r" * 80, 2), (b"d", 1))]
    made_of = openstack.add_server(volumes=volumes)
    job = whole(demo, {"name": "full", "instance_id": made_of, "vault_id": "v"})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsCreateWholeImageByInstanceJob"), job
    image = demo.show(job["entities"]["image_id"])
    first = next(made for made, backup in openstack.backups.items()
                 if backup["volume"] == volumes[0])
    assert [backup["status"] for backup in openstack.backups.values()] == ["available"] * 2
    expect_image(image, {"name": "full", "size": 80, "min_disk": 2, "__whole_image": "true",
                         "__backup_id": first, "__backup_ids": ",".join(openstack.backups),
                         "__data_origin": f"server_backup,{first}"})
    assert set(openstack.volumes) == set(volumes), "what was restored is gone"
    copy = demo.post(f"/v1/cloudimages/{image['id']}/copy", {"name": "no"})
    assert copy.code() == "IMG.0130"


def test_a_backup(openstack, server):
    demo = server.client("demo")
    backup = openstack.add_backup(b"b" * 60, size=4)
    job = whole(demo, {"name": "back", "backup_id": backup, "whole_image_type": "CBR"})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsCreateWholeImageByBackupJob"), job
    image = demo.show(job["entities"]["image_id"])
    expect_image(image, {"name": "back", "size": 60, "min_disk": 4, "__backup_id": backup,
                         "__whole_image": "true", "__data_origin": f"server_backup,{backup}"})
    assert openstack.volumes == {}
    assert set(openstack.backups) == {backup}
    again = demo.post("/v1/cloudimages/wholeimages/action", {"name": "again", "backup_id": backup})
    assert (again.status, again.code()) == (400, "IMG.0029")
    assert image["id"] in again.text


def test_what_is_running_tells_so_and_may_wait_for_long(openstack, server):
    demo = server.client("demo")
    openstack.hold()
    job_id = begin(demo, {"name": "slow", "instance_id": openstack.add_server(b"s", image="i")})

    def told():
        job = demo.job(job_id)
        return job if "image_id" in job["entities"] else None
    job = harness.wait_until(told, 30, "the image")
    assert (job["status"], job["entities"]["process_percent"]) == ("RUNNING", 0.5)
    image = demo.show(job["entities"]["image_id"])
    expect_image(image, {"name": "slow", "status": "queued"})
    openstack.go_on()
    assert demo.wait_job(job_id)["status"] == "SUCCESS"


@pytest.mark.parametrize("stage", ["image", "copy"])
def test_a_killed_worker_goes_on_where_it_was(openstack, server, stage):
    demo = server.client("demo")
    openstack.hold()
    volume = openstack.add_volume(b"k" * 50)
    if stage == "copy":
        openstack.add_server(volumes=[volume])
    job_id = begin(demo, {"name": "kept", "volume_id": volume, "os_version": DEBIAN})
    started = "image_id" if stage == "image" else None
    harness.wait_until(lambda: openstack.snapshots if started is None
                       else started in demo.job(job_id)["entities"], 30, "something begun")
    server.kill()
    server.start()
    openstack.image_url = server.url
    demo = server.client("demo")
    openstack.go_on()
    job = demo.wait_job(job_id, 60)
    assert job["status"] == "SUCCESS", job
    assert demo.download(job["entities"]["image_id"]).body == b"k" * 50
    posted = [path for method, path, _, _ in openstack.asked if method == "POST"]
    assert len(posted) == (1 if stage == "image" else 3), posted
    assert (openstack.snapshots, set(openstack.volumes)) == ({}, {volume})


REFUSED = [
    ({"status": "ERROR"}, "IMG.0126"), ({"status": "BUILD", "task": "spawning"}, "IMG.0126"),
    ({"task": "rebooting"}, "IMG.0010"), ({"image": ""}, "IMG.0119")]


@pytest.mark.parametrize("change,code", REFUSED)
def test_a_server_that_cannot_be_imaged(openstack, server, change, code):
    demo = server.client("demo")
    made_of = openstack.add_server(**{"data": b"s", "image": "i", **change})
    failed(made(demo, {"name": "bad", "instance_id": made_of}), code)
    assert names(demo) == set()
    assert {method for method, _, _, _ in openstack.asked} == {"GET"}


def test_what_is_not_there(openstack, server):
    demo = server.client("demo")
    absent = "00000000-0000-0000-0000-000000000000"
    failed(made(demo, {"name": "x", "instance_id": absent}), "IMG.0005")
    failed(made(demo, {"name": "x", "volume_id": absent, "os_version": DEBIAN}), "IMG.0120")
    failed(whole(demo, {"name": "x", "backup_id": absent}), "IMG.0020")
    assert demo.post("/v2/cloudimages/action", {"name": "x", "instance_id": "../x"}).code() \
        == "IMG.0005"
    assert len(openstack.asked) == 3


@pytest.mark.parametrize("fields,code", [
    ({"status": "error"}, "IMG.0022"), ({"size": 1025}, "IMG.0111"),
    ({"encrypted": True}, "IMG.0105")])
def test_a_volume_that_cannot_be_imaged(openstack, server, fields, code):
    demo = server.client("demo")
    volume = openstack.add_volume(b"v", **fields)
    failed(made(demo, {"name": "bad", "volume_id": volume, "os_version": DEBIAN}), code)
    assert names(demo) == set()


def test_a_backup_must_be_available_and_a_whole_server_have_volumes(openstack, server):
    demo = server.client("demo")
    failed(whole(demo, {"name": "x", "backup_id": openstack.add_backup(b"", status="error")}),
           "IMG.0032", "error")
    failed(whole(demo, {"name": "x", "instance_id": openstack.add_server(b"s", image="i")}),
           "IMG.0181")


def test_a_backup_of_an_encrypted_volume_is_not_read(openstack, server):
    demo = server.client("demo")
    backup = openstack.add_backup(b"secret", encrypted=True)
    failed(whole(demo, {"name": "x", "backup_id": backup}), "IMG.0105", "encrypted")
    assert (openstack.volumes, set(openstack.backups), names(demo)) == ({}, {backup}, set())


@pytest.mark.parametrize("failing,code,words", [
    ("upload", "IMG.0144", "deleted"), ("snapshot", "IMG.0014", "snapshot"),
    ("volume", "IMG.0014", "copy")])
def test_a_failure_elsewhere_leaves_nothing(openstack, server, failing, code, words):
    demo = server.client("demo")
    openstack.failing = {failing}
    volume = openstack.add_volume(b"v")
    openstack.add_server(volumes=[volume])
    failed(made(demo, {"name": "gone", "volume_id": volume, "os_version": DEBIAN}), code, words)
    assert names(demo) == set()
    assert (openstack.snapshots, set(openstack.volumes)) == ({}, {volume})


@pytest.mark.parametrize("failing", ["backup", "restore"])
def test_a_failed_backup_leaves_nothing(openstack, server, failing):
    demo = server.client("demo")
    openstack.failing = {failing}
    volume = openstack.add_volume(b"v")
    made_of = openstack.add_server(volumes=[volume])
    failed(whole(demo, {"name": "gone", "instance_id": made_of}), "IMG.0014")
    assert (openstack.backups, set(openstack.volumes), names(demo)) == ({}, {volume}, set())


def test_an_image_that_its_owner_deletes_ends_the_job(openstack, server):
    demo = server.client("demo")
    openstack.hold()
    job_id = begin(demo, {"name": "mine", "instance_id": openstack.add_server(b"s", image="i")})
    image = harness.wait_until(lambda: demo.job(job_id)["entities"].get("image_id"), 30, "an image")
    demo.delete(f"/v2/images/{image}").expect(204)
    failed(demo.wait_job(job_id), "IMG.0144", "deleted")


def test_what_was_made_is_removed_when_the_service_answers_again(openstack, server):
    demo = server.client("demo")
    volume = openstack.add_volume(b"v")
    openstack.add_server(volumes=[volume])
    openstack.failing = {"silence"}
    job_id = begin(demo, {"name": "mine", "volume_id": volume, "os_version": DEBIAN})
    image = harness.wait_until(lambda: demo.job(job_id)["entities"].get("image_id"), 30, "an image")
    openstack.silent = {"volumes"}
    demo.delete(f"/v2/images/{image}").expect(204)
    asked = len(openstack.asked)
    harness.wait_until(lambda: len(openstack.asked) > asked, 30, "a question")
    assert demo.job(job_id)["status"] == "RUNNING"
    openstack.silent = set()
    failed(demo.wait_job(job_id, 60), "IMG.0144", "deleted")
    assert (openstack.snapshots, set(openstack.volumes)) == ({}, {volume})


def test_a_job_ends_when_nothing_comes_in_time(openstack, start):
    server = start(VITRINE_COMPUTE_WAIT_SECONDS="2")
    demo = server.client("demo")
    openstack.hold()
    job = made(demo, {"name": "late", "instance_id": openstack.add_server(b"s", image="i")})
    failed(job, "IMG.0014", "2 seconds")
    assert names(demo) == set()


def test_a_service_that_answers_again_is_waited_for(openstack, server):
    demo = server.client("demo")
    openstack.silent = {"compute"}
    job_id = begin(demo, {"name": "again", "instance_id": openstack.add_server(b"s", image="i")})
    harness.wait_until(lambda: len(openstack.asked) >= 2, 30, "a second question")
    assert demo.job(job_id)["status"] == "RUNNING"
    openstack.silent = set()
    assert demo.wait_job(job_id, 60)["status"] == "SUCCESS"


def test_the_token_is_kept_sealed_and_not_for_longer_than_the_job(openstack, server):
    demo = server.client("demo")
    openstack.hold()
    job_id = begin(demo, {"name": "quiet", "instance_id": openstack.add_server(b"s", image="i")})
    harness.wait_until(lambda: "image_id" in demo.job(job_id)["entities"], 30, "an image")

    def is_kept():
        found = server.database.rows("SELECT id FROM jobs WHERE id = ? AND secret <> ''", job_id)
        return found != []
    assert is_kept()
    rows = server.database.rows("SELECT secret, arguments, state, caller FROM jobs")
    assert demo.token not in str(rows)
    openstack.go_on()
    demo.wait_job(job_id)
    assert not is_kept()
    assert demo.token not in server.log()


def test_fields_are_judged_before_anything_is_asked(openstack, server):
    demo = server.client("demo")
    made_of = openstack.add_server(b"s", image="i")
    for fields, code in (({"name": ""}, "IMG.0013"), ({"name": "x", "min_ram": -1}, "IMG.0055"),
                         ({"name": "x", "tags": [f"k{n}" for n in range(11)]}, "IMG.0116")):
        answer = demo.post("/v2/cloudimages/action", {"instance_id": made_of, **fields})
        assert (answer.status, answer.code()) == (400, code)
    answer = demo.post("/v2/cloudimages/action", {"name": "x", "volume_id": made_of})
    assert answer.code() == "IMG.0056"
    assert openstack.asked == []


@identity.builtin_only
def test_a_signed_request_has_no_token_that_others_would_take(openstack, server):
    signer = signing.Signed(server, signing.make_key(server.client("demo")))
    made_of = openstack.add_server(b"s", image="i")
    answer = signer.post("/v2/cloudimages/action", {"name": "x", "instance_id": made_of})
    assert (answer.status, answer.code()) == (400, "IMG.0105"), answer
    assert openstack.asked == []


@identity.keystone_only
def test_a_signed_request_gets_a_token_by_its_key(openstack, server):
    demo = server.client("demo")
    signer = signing.Signed(server, signing.make_key(demo))
    body = {"name": "signed", "instance_id": openstack.add_server(b"s", image="i")}
    job = demo.wait_job(begin(signer, body), 60)
    assert job["status"] == "SUCCESS", job
    tokens = {token for _, _, token, _ in openstack.asked}
    assert len(tokens) == 1
    assert demo.token not in tokens


@identity.keystone_only
def test_the_service_vouches_and_the_catalog_says_where(openstack, start):
    region = f"beside-{openstack.port}"  # of this test alone: others share the Keystone
    server = start(VITRINE_COMPUTE_ENDPOINT="", VITRINE_BLOCK_STORAGE_ENDPOINT="",
                   VITRINE_IDENTITY_REGION=region)
    demo, admin = server.client("demo"), server.client("admin")
    volume = openstack.add_volume(b"v" * 30)
    body = {"name": "x", "volume_id": volume, "os_version": DEBIAN}
    assert demo.post("/v2/cloudimages/action", body).code() == "IMG.0105"
    admin.post("/v3/regions", {"region": {"id": region}}).expect(201)
    service = admin.post("/v3/services", {"service": {"type": "block-storage"}}).expect(201).json()
    admin.post("/v3/endpoints", {"endpoint": {
        "service_id": service["service"]["id"], "interface": "public", "region_id": region,
        "url": f"http://127.0.0.1:{openstack.port}/v3/$(project_id)s"}}).expect(201)
    demo.login()
    assert made(demo, body)["status"] == "SUCCESS"
    assert all(path.startswith(f"/v3/{demo.project_id}/") for _, path, _, _ in openstack.asked)
    vouching = {service for _, _, _, service in openstack.asked}
    assert len(vouching) == 1
    assert None not in vouching
