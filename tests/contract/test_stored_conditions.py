"""Conditions that no request can bring about: set in the database of a server that is down."""

from contextlib import contextmanager

from keyring import keys, new_key


@contextmanager
def stopped(server):
    """Its database while it is down; starts it again."""
    assert server.stop() == 0
    yield server.database
    server.start()


def codes(job):
    return {pair["project_id"]: pair.get("error_code") for pair in job["entities"]["results"]}


def test_a_custom_key_must_be_enabled_and_granted(fresh_server):
    server = fresh_server()
    demo, alt, third = (server.client(name) for name in ("demo", "alt", "third"))
    disabled, granted = (demo.create_image(b"x")["id"] for _ in range(2))
    off, on = new_key(server, "off"), new_key(server, "on", alt)
    assert keys(server, "disable", off) == (0, "")
    with stopped(server) as database:
        database.set_properties(disabled, __system__cmkid=off)
        database.set_properties(granted, __system__cmkid=on)
    demo = server.client("demo")
    assert codes(demo.share([disabled], [alt.project_id])) == {alt.project_id: "IMG.0102"}
    assert codes(demo.share([granted], [alt.project_id, third.project_id])) \
        == {alt.project_id: None, third.project_id: "IMG.0099"}
    demo.post(f"/v2/images/{disabled}/members", {"member": "x"}).expect(403)
    assert demo.members(granted) == {alt.project_id: "pending"}


def test_a_row_that_cannot_be_stored_fails_its_image_alone(fresh_server):
    server = fresh_server()
    demo, alt, third = (server.client(name) for name in ("demo", "alt", "third"))
    bad, good = (demo.create_image(b"x")["id"] for _ in range(2))
    with stopped(server) as database:
        database.refuse("INSERT", "image_members", f"NEW.image_id = '{bad}'")
    demo = server.client("demo")
    job = demo.share([bad, good], [alt.project_id])
    assert [pair.get("error_code") for pair in job["entities"]["results"]] == ["IMG.0112", None]
    assert demo.members(bad) == {}
    assert demo.show(bad)["visibility"] == "private"
    with stopped(server) as database:
        database.allow("INSERT", "image_members")
        database.refuse("DELETE", "image_members", f"OLD.image_id = '{good}'")
    demo = server.client("demo")
    job = demo.unshare([bad, good], [alt.project_id, third.project_id])
    assert job["error_code"] == "IMG.0113"
    assert job["fail_reason"].endswith("(2 of 4 failed)")
    assert demo.members(good) == {alt.project_id: "pending"}


def test_a_disabled_domain_is_no_target(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image(b"x")["id"]
    with stopped(server) as database:
        database.rows("INSERT INTO domains (id, name, description, enabled) "
                      "VALUES ('gone', 'gone', '', 0)")
        database.rows("INSERT INTO projects VALUES ('stranded', 'gone', 'stranded', '', 1, 0)")
    demo = server.client("demo")
    assert codes(demo.share([image], ["stranded"])) == {"stranded": "IMG.0108"}


def test_a_job_that_cannot_be_stored_is_none(fresh_server):
    """IMG.0018, and nothing is done."""
    server = fresh_server()
    image = server.client("demo").create_image(b"x")["id"]
    with stopped(server) as database:
        database.refuse("INSERT", "jobs")
    demo, alt = server.client("demo"), server.client("alt")
    pairs = {"images": [image], "projects": [alt.project_id]}
    shares = {"images": [image], "project_id": alt.project_id, "status": "accepted"}
    demo.post(f"/v2/images/{image}/members", {"member": alt.project_id}).expect(200)
    for client, method, body in ((demo, "POST", {**pairs, "projects": ["other"]}),
                                 (demo, "DELETE", pairs), (alt, "PUT", shares)):
        answer = client.request(method, "/v1/cloudimages/members", json=body).expect(400)
        assert answer.json() == {"error": {
            "code": "IMG.0018", "message": "An error occurred when the job was submitted."}}
    assert demo.members(image) == {alt.project_id: "pending"}
    assert [event for event in server.events() if event["outcome"] == "pending"] == []
    with stopped(server) as database:
        database.allow("INSERT", "jobs")
    assert server.client("alt").answer_share([image])["status"] == "SUCCESS"


def test_a_job_that_cannot_be_read_fails_and_leaves_the_server_well(fresh_server):
    """IMG.0061 for what nobody foresaw: in the job, and as the answer of a server's own failure."""
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(b"x")["id"]
    told = demo.share([image], [alt.project_id])["job_id"]
    lost = "0" * 32
    with stopped(server) as database:
        database.rows(
            "INSERT INTO jobs (id, kind, project_id, status, arguments, caller, submitted_at, done,"
            " total, attempt, worker, lease_until, fault, fault_detail) SELECT ?, kind, project_id,"
            " 'INIT', arguments, '[]', submitted_at, 0, total, 0, '', 0, '', '' FROM jobs", lost)
        database.rows("UPDATE jobs SET arguments = '[]' WHERE id = ?", told)
    demo = server.client("demo")
    job = demo.wait_job(lost)
    assert (job["status"], job["error_code"], job["fail_reason"]) \
        == ("FAIL", "IMG.0061", "Unknown system error.")
    answer = demo.get(f"/v1/{demo.project_id}/jobs/{told}").expect(500)
    assert answer.json() == {"error": {"code": "IMG.0061", "message": "Unknown system error."}}
    assert demo.unshare([image], [alt.project_id])["status"] == "SUCCESS"
