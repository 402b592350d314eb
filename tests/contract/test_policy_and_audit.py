"""The policy file rules over both APIs; every change leaves one audit event, every pair its own."""

import json
import os
import signal
import subprocess

import harness


def run(*arguments):
    return subprocess.run([str(harness.BINARY), *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=60, env=os.environ)


def test_a_policy_file_changes_what_is_allowed(fresh_server, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"add_image": "role:admin"\n"ims:images:share": "role:admin"\n')
    assert run("policy", "check", policy).returncode == 0
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n')
    demo, admin, alt = server.client("demo"), server.client("admin"), server.client("alt")
    demo.post("/v2/images", {"name": "x"}).expect(403)
    image = admin.create_image(b"x", owner=demo.project_id)["id"]
    answer = demo.post("/v1/cloudimages/members", {
        "images": [image], "projects": [alt.project_id]}).expect(403)
    assert answer.code() == "IMG.0026"
    policy.write_text('"add_image": "role:member"\n')
    server.process.send_signal(signal.SIGHUP)
    harness.wait_until(lambda: demo.post("/v2/images", {"name": "x"}).status == 201,
                       what="the new policy")
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"


def test_a_broken_policy_file_is_named(tmp_path):
    for text in ('"add_image": "role:"\n', '"add_image": "(role:admin"\n', '"add_image": [[[\n',
                 '"no_such_rule_anywhere": "rule:unknown"\n'):
        policy = tmp_path / "broken.yaml"
        policy.write_text(text)
        outcome = run("policy", "check", policy)
        assert outcome.returncode not in (0, -signal.SIGABRT), text
        assert "broken.yaml" in outcome.stdout + outcome.stderr


def test_the_sample_policy_is_one_that_checks(tmp_path):
    sample = run("describe", "policy")
    assert sample.returncode == 0
    path = tmp_path / "sample.yaml"
    path.write_text(sample.stdout)
    assert run("policy", "check", path).returncode == 0
    assert "ims:images:share" in sample.stdout


def events(server):
    path = server.directory / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_batch_leaves_one_event_a_pair(fresh_server):
    server = fresh_server()
    demo, alt, third = (server.client(name) for name in ("demo", "alt", "third"))
    images = [demo.create_image(b"x")["id"] for _ in range(3)]
    job = demo.share(images, [alt.project_id, third.project_id])
    assert job["status"] == "SUCCESS"
    found = harness.wait_until(
        lambda: (lines := [event for event in events(server) if "addMember" in json.dumps(event)])
        and len(lines) >= 6 and lines, what="six events")
    assert len(found) == 6
    text = [json.dumps(event) for event in found]
    for image in images:
        for project in (alt.project_id, third.project_id):
            assert sum(image in line and project in line for line in text) == 1
    assert all(demo.user_id in line and demo.project_id in line for line in text)


def test_events_of_changes_survive_a_kill(fresh_server):
    """An event is written with its change: what was answered is in the trail after a crash."""
    server = fresh_server()
    demo = server.client("demo")
    images = [demo.create_image()["id"] for _ in range(20)]
    server.kill()
    server.start()
    harness.wait_until(
        lambda: all(any(image in json.dumps(event) for event in events(server))
                    for image in images), what="an event for every image")
    created = [event for event in events(server) if "createImage" in json.dumps(event)]
    assert len(created) == 20


def test_no_secret_is_logged(fresh_server):
    """SE-01"""
    server = fresh_server(config='[log]\nlevel = "debug"\n')
    demo = server.client("demo")
    password = server.clouds()["demo"]["auth"]["password"]
    image = demo.create_image(b"x")["id"]
    demo.share([image], [server.client("alt").project_id])
    demo.get("/v2/images", headers={"X-Auth-Token": "not-a-token-at-all"}).expect(401)
    assert server.stop() == 0
    for text in (server.log(), (server.directory / "audit.jsonl").read_text()):
        assert demo.token not in text
        assert password not in text
        assert "not-a-token-at-all" not in text
