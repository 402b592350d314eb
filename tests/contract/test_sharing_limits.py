"""The limit of 256 members, also under concurrency; conditions only stored attributes reach."""

import threading

import pytest


def projects(count, prefix="p"):
    return [f"{prefix}{index:04d}" for index in range(count)]


@pytest.fixture
def crowd(fresh_server):
    """A server whose identity knows 260 more projects; (server, their ids)."""
    server = fresh_server()
    admin = server.client("admin")
    return server, admin.projects(260)


def failures(job):
    return {(pair["image_id"], pair["project_id"]): pair["error_code"]
            for pair in job["entities"]["results"] if pair["status"] == "failed"}


def test_the_257th_member_fails_and_the_first_256_are_there(crowd):
    server, ids = crowd
    demo = server.client("demo")
    image = demo.create_image(b"x")["id"]
    assert demo.share([image], ids[:200])["status"] == "SUCCESS"
    job = demo.share([image], ids[:256])
    assert job["status"] == "SUCCESS"
    job = demo.share([image], ids[200:260])
    assert job["status"] == "FAIL"
    assert job["error_code"] == "IMG.0088"
    assert failures(job) == {(image, project): "IMG.0088" for project in ids[256:260]}
    demo.post(f"/v2/images/{image}/members", {"member": "one-more"}).expect(413)
    assert len(demo.members(image)) == 256
    demo.delete(f"/v2/images/{image}/members/{ids[0]}").expect(204)
    assert demo.share([image], [ids[256]])["status"] == "SUCCESS"


def test_the_limit_holds_under_concurrency(crowd):
    """Bulk and native at once, more than fit: exactly 256 rows."""
    server, ids = crowd
    demo = server.client("demo")
    image = demo.create_image(b"x")["id"]
    statuses = []

    def native(names):
        for name in names:
            statuses.append(demo.post(f"/v2/images/{image}/members", {"member": name}).status)

    def bulk(part):
        demo.share([image], part)

    threads = [threading.Thread(target=native, args=(projects(40, f"n{index}-"),))
               for index in range(4)]
    threads += [threading.Thread(target=bulk, args=(ids[start:start + 130],))
                for start in (0, 65, 130)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(demo.members(image)) == 256
    assert set(statuses) <= {200, 413}


def test_100_images_with_256_projects(crowd):
    server, ids = crowd
    demo = server.client("demo")
    images = [demo.create_image(b"x")["id"] for _ in range(100)]
    job = demo.share(images, ids[:256])
    assert job["status"] == "SUCCESS"
    results = job["entities"]["results"]
    assert [(pair["image_id"], pair["project_id"]) for pair in results] \
        == [(image, project) for image in images for project in ids[:256]]  # image-major
    assert len(demo.members(images[99])) == 256


# Conditions of ims-api 5.1 that need attributes no request of this release can set.
STORED = {
    "IMG.0135": {"__whole_image": "true", "__data_origin": "instance,x"},
    "IMG.0098": {"__system__cmkid": "default"},
    "IMG.0101": {"__system__cmkid": "00000000-0000-4000-8000-00000000dead"},
}


def test_conditions_on_encrypted_and_full_server_images(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    images = {code: demo.create_image(b"x")["id"] for code in STORED}
    backup = demo.create_image(b"x")["id"]
    assert server.stop() == 0
    for code, properties in STORED.items():
        server.database.set_properties(images[code], **properties)
    server.database.set_properties(backup, __whole_image="true",
                                   __data_origin="server_backup,x", __backup_id="x")
    server.start()
    demo, alt = server.client("demo"), server.client("alt")
    job = demo.share([*images.values(), backup], [alt.project_id])
    assert failures(job) == {(image, alt.project_id): code for code, image in images.items()}
    assert demo.members(backup) == {alt.project_id: "pending"}
    # A full-server image is accepted with a vault, and there is none here.
    answer = alt.put("/v1/cloudimages/members", {
        "images": [backup], "project_id": alt.project_id, "status": "accepted"}).expect(200)
    job = alt.wait_job(answer.json()["job_id"])
    assert failures(job) == {(backup, alt.project_id): "IMG.0184"}
    assert alt.answer_share([backup], "rejected")["status"] == "SUCCESS"


def test_a_full_server_image_has_ten_members(crowd):
    server, ids = crowd
    demo = server.client("demo")
    image = demo.create_image(b"x")["id"]
    assert server.stop() == 0
    server.database.set_properties(image, __whole_image="true",
                                   __data_origin="server_backup,x", __backup_id="x")
    server.start()
    demo = server.client("demo")
    job = demo.share([image], ids[:11])
    assert failures(job) == {(image, ids[10]): "IMG.0088"}
    assert len(demo.members(image)) == 10


def test_the_quota_of_shared_images(fresh_server):
    """image_shared counts images with an accepted member and limits the first member of another."""
    server = fresh_server(config="[quota]\nimage_shared = 1\n")
    demo, alt = server.client("demo"), server.client("alt")
    first, second = demo.create_image(b"x")["id"], demo.create_image(b"y")["id"]

    def row():
        rows = demo.get("/v1/cloudimages/quota").expect(200).json()["quotas"]["resources"]
        return next(row for row in rows if row["type"] == "image_shared")

    assert demo.share([first], [alt.project_id])["status"] == "SUCCESS"
    assert row()["used"] == 0
    alt.answer_share([first])
    assert (row()["used"], row()["quota"]) == (1, 1)
    job = demo.share([second], [alt.project_id])
    assert failures(job) == {(second, alt.project_id): "IMG.0088"}
    # A further member of the image that is shared already takes nothing more.
    third = server.client("third")
    assert demo.share([first], [third.project_id])["status"] == "SUCCESS"


def test_the_quota_of_members_is_the_limit_in_force(fresh_server):
    server = fresh_server(config="[images]\nmember_max = 1\n")
    demo = server.client("demo")
    image = demo.create_image(b"x")["id"]
    projects = [server.client(name).project_id for name in ("alt", "third")]
    assert failures(demo.share([image], projects)) == {(image, projects[1]): "IMG.0088"}
    rows = demo.get("/v1/cloudimages/quota").expect(200).json()["quotas"]["resources"]
    row = next(row for row in rows if row["type"] == "image_member")
    assert (row["used"], row["quota"]) == (1, 1)


def test_a_disabled_project_is_no_target(fresh_server):
    server = fresh_server()
    demo, admin = server.client("demo"), server.client("admin")
    project = admin.post("/v3/projects", {"project": {"name": "off", "enabled": False}}) \
        .expect(201).json()["project"]["id"]
    image = demo.create_image(b"x")["id"]
    assert failures(demo.share([image], [project])) == {(image, project): "IMG.0108"}


def test_jobs_on_one_image_run_in_the_order_of_their_requests(demo, alt, third):
    image = demo.create_image(b"x")["id"]
    body = {"images": [image], "projects": [alt.project_id, third.project_id]}
    jobs = []
    for index in range(20):
        method = "POST" if index % 2 == 0 else "DELETE"
        jobs.append(demo.request(method, "/v1/cloudimages/members", json=body).expect(200).json())
    assert {demo.wait_job(job["job_id"])["status"] for job in jobs} == {"SUCCESS"}
    assert demo.show(image)["visibility"] == "private"
    alt.get(f"/v2/images/{image}").expect(404)
