"""What an operator relies on: reloads, health, drain, figures. The program as a process."""

import functools
import re
import signal
import subprocess
import time

import pytest

import database
import harness
import identity
from test_serve import refused


def reload(server, what, outcome="done", times=1):
    """SIGHUP, and the wait for its `times`th line in the log."""
    pattern = rf'"event":"reload\.{outcome}","what":"{what}"'
    server.process.send_signal(signal.SIGHUP)
    harness.wait_until(lambda: len(re.findall(pattern, server.log())) >= times,
                       what=f"reload.{outcome} of {what}")


def test_a_broken_policy_file_keeps_the_policy(fresh_server, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"add_image": "role:admin"\n')
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n')
    demo = server.client("demo")
    for number, broken in enumerate(['# one\n"add_image": "(role:member"\n',
                                     '# one\n"add_image": [[[\n'], 1):
        policy.write_text(broken)
        reload(server, "policy", "failed", number)
        assert f"{policy}:2: " in server.log()
        demo.post("/v2/images", {"name": "x"}).expect(403)
    policy.unlink()
    reload(server, "policy", "failed", 3)
    demo.post("/v2/images", {"name": "x"}).expect(403)
    policy.write_text('"add_image": "role:member"\n')
    reload(server, "policy")
    demo.post("/v2/images", {"name": "x"}).expect(201)


def test_requests_are_judged_while_the_policy_is_replaced(fresh_server, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"add_image": "role:member"\n')
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n')
    demo = server.client("demo")
    for number in range(1, 31):
        server.process.send_signal(signal.SIGHUP)
        demo.post("/v2/images", {"name": f"image {number}"}).expect(201)
    assert len(demo.listed("limit=100")) == 30


def test_who_administers_is_a_rule_of_the_policy(fresh_server, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"context_is_admin": "role:member"\n')
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n')
    demo, alt, viewer = (server.client(name) for name in ("demo", "alt", "viewer"))
    image = alt.create_image(visibility="private")["id"]
    demo.get(f"/v2/images/{image}").expect(200)
    viewer.get(f"/v2/images/{image}").expect(404)
    assert server.stop() == 0
    policy.write_text('"context_is_admin": "role:nobody_holds_it"\n')
    server.start()
    server.client("admin").get(f"/v2/images/{image}").expect(404)


def test_a_reload_takes_the_rights_of_an_administrator_at_once(fresh_server, tmp_path):
    """Callers were believed to administer for as long as their token was remembered."""
    policy = tmp_path / "policy.yaml"
    policy.write_text('"context_is_admin": "role:member"\n')
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n'
                                 "[identity]\ntoken_cache_seconds = 60\n")
    demo, alt = server.client("demo"), server.client("alt")
    image = alt.create_image(visibility="private")["id"]
    demo.get(f"/v2/images/{image}").expect(200)
    policy.write_text('"context_is_admin": "role:admin"\n')
    reload(server, "policy")
    demo.get(f"/v2/images/{image}").expect(404)
    policy.write_text('"context_is_admin": "role:member"\n')
    reload(server, "policy", times=2)
    demo.get(f"/v2/images/{image}").expect(200)


def test_sighup_goes_on_in_a_new_log_file(fresh_server, tmp_path):
    log, moved = tmp_path / "vitrine.log", tmp_path / "vitrine.log.1"
    server = fresh_server(config=f'[log]\nfile = "{log}"\n')
    nobody = server.client()
    nobody.get("/healthcheck").expect(200)
    log.rename(moved)
    server.process.send_signal(signal.SIGHUP)
    harness.wait_until(lambda: log.exists() and "reload.done" in log.read_text(), what="a new log")
    nobody.get("/healthcheck", headers={"X-Openstack-Request-Id": "req-after"}).expect(200)
    harness.wait_until(lambda: "req-after" in log.read_text(), what="the line in the new log")
    assert "req-after" not in moved.read_text()


def is_told(trail, image):
    return image in trail.read_text()


def test_an_audit_file_without_a_place_is_told_once(fresh_server, tmp_path):
    """It was told four times a second for as long as it lasted."""
    folder, moved = tmp_path / "audit", tmp_path / "moved"
    folder.mkdir()
    server = fresh_server(config=f'[audit]\nfile = "{folder}/trail"\n')
    demo = server.client("demo")
    folder.rename(moved)
    reload(server, "policy")
    failed, works = r'"event":"upkeep\.failed","duty":"audit"', r'"upkeep\.works_again"'
    harness.wait_until(lambda: re.search(failed, server.log()), what="upkeep.failed")
    for number in range(3):  # each waits for another export, which tries again
        image = demo.create_image(name=str(number))["id"]
        harness.wait_until(functools.partial(is_told, moved / "trail", image), what="the event")
    assert len(re.findall(failed, server.log())) == 1
    folder.mkdir()
    harness.wait_until(lambda: re.search(works, server.log()), what="upkeep.works_again")
    image = demo.create_image()["id"]
    harness.wait_until(lambda: is_told(folder / "trail", image), what="the event")
    assert len(re.findall(failed, server.log())) == len(re.findall(works, server.log())) == 1


def test_ready_tells_that_the_database_cannot_be_read(fresh_server):
    server = fresh_server()
    nobody = server.client()
    nobody.get("/healthcheck/ready").expect(200)
    server.database.hide()
    harness.wait_until(lambda: nobody.get("/healthcheck/ready").status == 503, what="503")
    assert "database" in nobody.get("/healthcheck/ready").text
    nobody.get("/healthcheck/live").expect(200)
    nobody.get("/healthcheck").expect(200)
    server.database.show()
    harness.wait_until(lambda: nobody.get("/healthcheck/ready").status == 200, what="200 again")


@database.sqlite_only
def test_the_log_names_a_database_file_that_is_damaged(fresh_server):
    server = fresh_server()
    server.client("demo").create_image()
    assert server.stop() == 0
    server.database.damage("images")
    server.start()
    server.client("demo").get("/v2/images").expect(500)
    assert f'"event":"database.damaged","file":"{server.database.file}"' in server.log()


def test_data_the_store_has_lost_is_not_an_image_that_is_gone(fresh_server):
    """SE-02: 404 told clients that the image was deleted; a cut file was sent as if whole."""
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(bytes(range(256)) * 2)["id"]
    path = f"/v2/images/{image}/file"
    [blob] = server.store.files()
    hidden = server.directory / "hidden"
    blob.rename(hidden)
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = demo.get(path, headers=headers).expect(503)
        assert answer.message() == \
            "The image store does not have all the data of the image."
    alt.get(path).expect(404)
    hidden.rename(blob)
    demo.get(path).expect(200)
    with blob.open("r+b") as file:
        file.truncate(100)
    demo.get(path).expect(503)
    assert f'"event":"image_data.damaged","image":"{image}"' in server.log()
    assert '"bytes":512,"missing":false,"bytes_found":100' in server.log()
    demo.delete(f"/v2/images/{image}").expect(204)
    demo.get(path).expect(404)


@pytest.mark.parametrize("path, status", [("ready", 503), ("live", 200)])
def test_health_while_it_drains(fresh_server, path, status):
    server = fresh_server()
    whole, begun = (server.client().head_lines("GET", f"/healthcheck/{name}")
                    for name in ("live", path))
    with server.client().raw() as probe:
        probe.send(whole + begun[:-2])  # the second request has begun when the first is answered
        assert probe.answer().status == 200
        server.process.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: refused(server.address), what="new connections to be refused")
        probe.send(begun[-2:])
        answer = probe.answer()
        assert answer.status == status, answer
        assert answer.headers["Connection"] == "close"
    assert server.wait() == 0


def test_sigterm_lets_a_slow_download_finish(fresh_server):
    """OP-02"""
    server = fresh_server()
    demo = server.client("demo")
    data = bytes(range(256)) * (1 << 17)
    image = demo.create_image(data)["id"]
    with demo.raw() as connection:
        connection.send(demo.head_lines("GET", f"/v2/images/{image}/file"))
        assert connection.stream.read(12) == b"HTTP/1.1 200"
        server.process.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: refused(server.address), what="new connections to be refused")
        assert connection.stream.read().endswith(data)
    assert server.wait() == 0


def test_a_long_way_of_the_audit_trail_cannot_hold_the_drain(fresh_server):
    server = fresh_server(config="[server]\ndrain_seconds = 1\n")
    assert server.stop() == 0
    rows = server.database.rows
    rows("INSERT INTO audit_outbox (id, event, targets) "
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000) "
         "SELECT 'row' || i, '{\"name\":\"createImage\"}', '[]' FROM n")
    server.start()
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 20 * harness.PATIENCE
    [[left]] = rows("SELECT COUNT(*) FROM audit_outbox")
    lines = (server.directory / "audit.jsonl").read_text().splitlines()
    found = sum("row" in line for line in lines)
    assert 0 < found < 500000
    assert found + int(left) == 500000


def test_a_stuck_client_cannot_hold_the_drain(fresh_server):
    server = fresh_server(config="[server]\ndrain_seconds = 1\n")
    demo = server.client("demo")
    image = demo.create_image()["id"]
    with demo.raw() as upload:
        upload.send(demo.head_lines("PUT", f"/v2/images/{image}/file", "Content-Length: 2",
                                    "Content-Type: application/octet-stream") + b"x")
        harness.wait_until(lambda: demo.show(image)["status"] == "saving")
        began = time.monotonic()
        assert server.stop() == 0
        assert 1 <= time.monotonic() - began < 20 * harness.PATIENCE
    assert "drain.cut_short" in server.log()
    server.start()
    assert demo.show(image)["status"] == "queued"
    assert server.stored_bytes() == 0


def test_a_running_job_is_handed_back_and_ends_after_the_restart(fresh_server):
    server = fresh_server(environment={"VITRINE_QUOTA_IMAGE": "1000"})
    admin, demo = server.client("admin"), server.client("demo")
    projects = admin.projects(100)
    images = [demo.create_image(b"x", name=f"i{number}")["id"] for number in range(100)]
    body, jobs = {"images": images, "projects": projects}, []
    while "job.handed_back" not in server.log():  # the stop may meet none that runs: once more
        assert len(jobs) < 100
        jobs += [demo.request(method, "/v1/cloudimages/members", json=body).expect(200)
                 .json()["job_id"] for method in ("POST", "DELETE", "POST", "DELETE", "POST")]
        harness.wait_until(lambda: demo.job(jobs[-4])["status"] != "INIT", what="a job to run")
        assert server.stop() == 0
        server.start()
    assert {demo.wait_job(job)["status"] for job in jobs} == {"SUCCESS"}
    for image in images:
        assert demo.members(image) == dict.fromkeys(projects, "pending")


def test_a_second_server_is_told_why_it_may_not_run(fresh_server):
    server = fresh_server()
    second = subprocess.run(
        [str(harness.BINARY), "serve", "--standalone", str(server.directory), "--listen",
         "127.0.0.1:0"], capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr == f"vitrine: another server works on {server.directory}\n"


def declared_metrics():
    """Name and type of each, from the program's own reference."""
    text = subprocess.run([str(harness.BINARY), "describe", "metrics"], capture_output=True,
                          text=True, check=True, timeout=60).stdout
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE))


def figures(client):
    """The sum of each metric's series by name; of a histogram how many values it has."""
    text = client.get("/metrics").expect(200).text
    found = {}
    for name, value in re.findall(r"^(\w+?)(?:\{.*\})? ([-+.e\d]+)$", text, re.MULTILINE):
        found[name] = found.get(name, 0.0) + float(value)
    return found


# Not moved by a healthy minute: they only have to be there.
QUIET = {"vitrine_api_queue_length", "vitrine_jobs_running", "vitrine_jobs_open",
         "vitrine_jobs_oldest_seconds", "vitrine_jobs_rescued_total", "vitrine_uploads_running",
         "vitrine_spools", "vitrine_spooled_bytes"}
# Of several stores.
ABSENT = {"vitrine_store_up", "vitrine_store_blobs", "vitrine_store_bytes"}
# Of a driver that does not run here; with a Keystone nobody logs in here.
ABSENT |= {"vitrine_tokens_issued_total" if identity.DRIVER == "keystone"
           else "vitrine_keystone_request_seconds"}
if identity.DRIVER == "keystone":
    QUIET.add("vitrine_login_failures_total")


def test_every_declared_metric_moves_with_what_it_counts(fresh_server):
    """OP-12"""
    server = fresh_server(config="[metrics]\nper_project = true\n")
    nobody = server.client()
    before = figures(nobody)
    demo, alt, viewer = (server.client(name) for name in ("demo", "alt", "viewer"))
    image = demo.create_image(b"x" * 1000)["id"]
    demo.download(image).expect(200)
    wrong = demo.create_image(disk_format="qcow2")["id"]
    assert demo.upload(wrong, b"not a qcow2 at all").status >= 400
    viewer.post("/v2/images", {"name": "x"}).expect(403)
    cloud = server.clouds()["demo"]
    login = harness.password_login({**cloud["auth"], "password": "wrong"})
    nobody.post("/v3/auth/tokens", login).expect(401)
    with nobody.raw() as connection:
        connection.send(b"no request at all\r\n\r\n")
        assert connection.answer().status == 400
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"

    def still():
        now = figures(nobody)
        return [name for name, kind in declared_metrics().items()
                for shown in [name + ("_count" if kind == "histogram" else "")]
                if (shown in now) == (name in ABSENT)
                or name not in QUIET | ABSENT and now[shown] <= before.get(shown, 0.0)
                and not (kind == "gauge" and now[shown] > 0)]
    try:
        harness.wait_until(lambda: not still(), 20, "every metric to move")
    except AssertionError:
        assert still() == []
    now = figures(nobody)
    assert now["vitrine_uploaded_bytes_total"] == 1000
    assert now["vitrine_downloaded_bytes_total"] == 1000
    assert now["vitrine_images"] == 2
    assert now["vitrine_image_bytes"] == 1000
    assert now["vitrine_login_failures_total"] == (identity.DRIVER == "builtin")
    assert now["vitrine_policy_denials_total"] == 1
    assert now["vitrine_format_refusals_total"] == 1
    assert now["vitrine_refusals_total"] == 1
    text = nobody.get("/metrics").text
    assert 'vitrine_store_seconds_count{operation="commit"} 1' in text
    assert 'vitrine_store_seconds_count{operation="open"} 1' in text
    assert 'vitrine_policy_denials_total{action="add_image"} 1' in text
    assert 'vitrine_images{status="active",visibility="shared"} 1' in text
    assert demo.token not in text


def test_running_uploads_are_counted(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()["id"]
    with demo.raw() as upload:
        upload.send(demo.head_lines("PUT", f"/v2/images/{image}/file", "Content-Length: 2",
                                    "Content-Type: application/octet-stream") + b"x")
        harness.wait_until(lambda: figures(demo)["vitrine_uploads_running"] == 1)
        upload.send(b"x")
        assert upload.answer().status == 204
    harness.wait_until(lambda: figures(demo)["vitrine_uploads_running"] == 0)
