"""DELETE /v2/images/{id} with `delete_backup` (contract: ims-api 10.3), with a stand-in for Cinder:
the backups that a job made of a whole server go with its image."""

import uuid

import pytest

import harness
import identity
import signing

JOBS = "[jobs]\nlease_seconds = 1\npoll_seconds = 1\n"
WHOLE = "/v1/cloudimages/wholeimages/action"
TOO = {"delete_backup": True}
REMOVALS = "SELECT id FROM jobs WHERE kind = 'imsDeleteImageBackupsJob'"


@pytest.fixture(name="server")
def server_with_cloud(openstack, fresh_server):
    server = fresh_server(config=JOBS + openstack.config)
    openstack.image_url = server.url
    return server


def begin(client, **source):
    body = {"name": str(uuid.uuid4()), **source}
    return client.post(WHOLE, body).expect(200).json()["job_id"]


def made_by(client, job):
    ended = client.wait_job(job, 60)
    assert ended["status"] == "SUCCESS", ended
    return client.show(ended["entities"]["image_id"])


def image_of_backup(client, backup):
    return made_by(client, begin(client, backup_id=backup))


def begin_server(openstack, client, disks=1):
    volumes = [openstack.add_volume(b"disk") for _ in range(disks)]
    return begin(client, instance_id=openstack.add_server(volumes=volumes))


def image_of_server(openstack, client, disks=1):
    return made_by(client, begin_server(openstack, client, disks))


def removal(server):
    """The id of the job that removes backups: no answer tells it."""
    [(found,)] = server.database.rows(REMOVALS)
    return found


def asked_to_remove(openstack):
    return [(path.rsplit("/", 1)[1], token) for method, path, token, _ in openstack.asked
            if method == "DELETE" and "/backups/" in path]


def deletions(server, image):
    """What the trail tells of the deletion of the image: how it ended, and by which job."""
    return [(event["outcome"], event.get("reason"), event.get("job_id"))
            for event in server.events()
            if (event["name"], event["target"]["id"]) == ("deleteImage", image)]


def all_deletions(server, client, image):
    """The same once the trail holds whatever was done before."""
    last = client.create_image()["id"]
    client.delete(f"/v2/images/{last}").expect(204)
    harness.wait_until(lambda: deletions(server, last), 30, "the last event")
    return deletions(server, image)


def expect_left(server, image):
    """The trail and the log say that the backups stay, once the image is gone."""
    told = harness.wait_until(lambda: [one for one in deletions(server, image) if one[2]], 30,
                              "an event of the job")
    reason = {"reasonType": "HTTP", "reasonCode": "400", "policyType": "IMS",
              "policyId": "IMG.0176"}
    assert told == [("failure", reason, removal(server))]
    assert len(deletions(server, image)) == 2
    assert '"backups.left_behind"' in server.log()
    assert "IMG.0176" in server.log()


def test_the_backups_of_a_whole_server_go_with_its_image(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo, disks=2)
    made = image["__backup_ids"].split(",")
    assert sorted(made) == sorted(openstack.backups)
    openstack.hold()
    demo.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    demo.get(f"/v2/images/{image['id']}").expect(404)
    harness.wait_until(lambda: len(asked_to_remove(openstack)) == 2, 30, "both to be asked for")
    assert [backup["status"] for backup in openstack.backups.values()] == ["deleting"] * 2
    job = demo.job(removal(server))
    assert (job["job_type"], job["status"]) == ("imsDeleteImageBackupsJob", "RUNNING")
    openstack.go_on()
    assert demo.wait_job(job["job_id"])["status"] == "SUCCESS"
    assert openstack.backups == {}
    assert asked_to_remove(openstack) == [(backup, demo.token) for backup in made]
    assert server.database.rows("SELECT id FROM jobs WHERE secret <> ''") == []
    assert all_deletions(server, demo, image["id"]) == [("success", None, None)]


def test_who_does_not_ask_keeps_them(openstack, server):
    demo = server.client("demo")
    requests = [("v2", body) for body in (
        None, {}, {"delete_backup": False}, {"delete_backup": "true"}, {"delete_backup": None})]
    requests.append(("v1.1", TOO))
    jobs = [begin_server(openstack, demo) for _ in requests]
    for (version, body), job in zip(requests, jobs, strict=True):
        demo.delete(f"/{version}/images/{made_by(demo, job)['id']}", json=body).expect(204)
    assert server.database.rows(REMOVALS) == []
    assert [backup["status"] for backup in openstack.backups.values()] == ["available"] * 6


def test_a_backup_that_was_there_before_stays(openstack, server):
    demo = server.client("demo")
    backup = openstack.add_backup(b"mine")
    image = image_of_backup(demo, backup)
    path = f"/v2/images/{image['id']}"
    demo.patch(path, [{"op": "add", "path": "/__backup_ids", "value": backup}]).expect(403)
    demo.delete(path, json=TOO).expect(204)
    assert server.database.rows(REMOVALS) == []
    assert set(openstack.backups) == {backup}


def test_an_attribute_of_before_it_was_reserved_removes_nothing(openstack, server):
    demo = server.client("demo")
    backup, other = openstack.add_backup(b"mine"), openstack.add_backup(b"mine, too")
    image = image_of_backup(demo, backup)
    server.kill()
    server.database.set_properties(image["id"], __backup_ids=other)
    demo = server.start().client("demo")
    demo.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    assert server.database.rows(REMOVALS) == []
    assert set(openstack.backups) == {backup, other}


def test_a_backup_that_another_image_names_stays(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo, disks=2)
    first, second = image["__backup_ids"].split(",")
    other = image_of_backup(demo, second)
    assert other["__backup_id"] == second
    demo.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    assert demo.wait_job(removal(server))["status"] == "SUCCESS"
    assert set(openstack.backups) == {second}
    assert [backup for backup, _ in asked_to_remove(openstack)] == [first]
    demo.delete(f"/v2/images/{other['id']}", json=TOO).expect(204)
    assert len(server.database.rows(REMOVALS)) == 1
    assert set(openstack.backups) == {second}


def test_a_killed_server_goes_on(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo, disks=2)
    openstack.silent = {"volumes"}
    demo.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    server.kill()
    openstack.silent = set()
    demo = server.start().client("demo")
    assert demo.wait_job(removal(server))["status"] == "SUCCESS"
    assert openstack.backups == {}
    demo.get(f"/v2/images/{image['id']}").expect(404)


def test_backups_that_are_gone_are_no_failure(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo)
    openstack.backups.clear()
    demo.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    assert demo.wait_job(removal(server))["status"] == "SUCCESS"
    assert asked_to_remove(openstack) == []
    assert all_deletions(server, demo, image["id"]) == [("success", None, None)]


def test_a_failure_elsewhere_is_told_to_the_trail_and_the_log(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo)
    openstack.failing = {"removal"}
    demo.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    job = demo.wait_job(removal(server))
    assert (job["status"], job["error_code"]) == ("FAIL", "IMG.0176")
    assert [backup["status"] for backup in openstack.backups.values()] == ["error_deleting"]
    expect_left(server, image["id"])


def test_a_protected_image_keeps_all(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo)
    path = f"/v2/images/{image['id']}"
    demo.patch(path, [{"op": "replace", "path": "/protected", "value": True}]).expect(200)
    demo.delete(path, json=TOO).expect(403)
    assert server.database.rows(REMOVALS) == []
    assert [backup["status"] for backup in openstack.backups.values()] == ["available"]


def test_another_project_cannot_use_it(openstack, server):
    demo, alt = server.client("demo"), server.client("alt")
    image = image_of_server(openstack, demo)
    path = f"/v2/images/{image['id']}"
    alt.delete(path, json=TOO).expect(404)
    demo.post(f"{path}/members", {"member": alt.project_id}).expect(200)
    alt.delete(path, json=TOO).expect(403)
    demo.get(path).expect(200)
    assert server.database.rows(REMOVALS) == []
    assert asked_to_remove(openstack) == []


@identity.builtin_only
def test_a_signed_request_deletes_the_image_and_tells_what_stays(openstack, server):
    demo = server.client("demo")
    image = image_of_server(openstack, demo)
    signer = signing.Signed(server, signing.make_key(demo))
    asked = len(openstack.asked)
    signer.delete(f"/v2/images/{image['id']}", json=TOO).expect(204)
    job = demo.wait_job(removal(server))
    assert (job["status"], job["error_code"]) == ("FAIL", "IMG.0176")
    assert "signed" in job["fail_reason"]
    expect_left(server, image["id"])
    demo.get(f"/v2/images/{image['id']}").expect(404)
    assert len(openstack.asked) == asked
    assert [backup["status"] for backup in openstack.backups.values()] == ["available"]
