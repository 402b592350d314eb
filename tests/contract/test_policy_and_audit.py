"""The policy file rules over both APIs; every change leaves one audit event, every pair its own."""

import json
import os
import signal
import subprocess

import pytest
from pycadf import cadftaxonomy as cadf_taxonomy
from pycadf import event as cadf_event
from pycadf import host as cadf_host
from pycadf import reason as cadf_reason
from pycadf import resource as cadf_resource

import database
import harness
import identity


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


@pytest.mark.parametrize("path", ["quickimport/action", "action"])
def test_what_may_not_be_made_is_told_before_the_fields(fresh_server, tmp_path, path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"ims:dataImages:create": "role:admin"\n')
    demo = fresh_server(config=f'[policy]\nfile = "{policy}"\n').client("demo")
    for body, status, code in (({"type": "DataImage", "name": 5}, 403, "IMG.0026"),
                               ({"type": "ECS", "name": 5}, 400, "IMG.0062"),
                               ({"type": 7, "name": "x"}, 400, "IMG.0024")):
        answer = demo.post(f"/v2/cloudimages/{path}", {"image_url": "files:x", **body})
        assert (answer.status, answer.code()) == (status, code), answer


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


def test_a_batch_leaves_one_event_a_pair(fresh_server):
    server = fresh_server()
    demo, alt, third = (server.client(name) for name in ("demo", "alt", "third"))
    images = [demo.create_image(b"x")["id"] for _ in range(3)]
    job = demo.share(images, [alt.project_id, third.project_id])
    assert job["status"] == "SUCCESS"
    found = harness.wait_until(
        lambda: (lines := [event for event in server.events() if event["name"] == "addMember"])
        and len(lines) >= 7 and lines, what="seven events")
    assert len(found) == 7
    submission = found.pop(0)
    assert (submission["outcome"], submission["job_id"]) == ("pending", job["job_id"])
    assert submission["target"]["images"] == images
    assert submission["target"]["projects"] == [alt.project_id, third.project_id]
    assert [event["outcome"] for event in found] == ["success"] * 6
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
        lambda: all(any(image in json.dumps(event) for event in server.events())
                    for image in images), what="an event for every image")
    created = [event for event in server.events() if "createImage" in json.dumps(event)]
    assert len(created) == 20


def told(server, image_id):
    """(event type, outcome) of all events about an image, in order, once the last one has come."""
    marker = server.client("demo").create_image()["id"]
    harness.wait_until(lambda: any(event["target"]["id"] == marker for event in server.events()),
                       what="the events so far")
    return [(event["event_type"], event["outcome"]) for event in server.events()
            if event["target"]["id"] == image_id]


def test_what_changes_nothing_leaves_no_event(fresh_server):
    server = fresh_server()
    demo, admin = server.client("demo"), server.client("admin")
    image = demo.create_image(b"x", tags=["there"])["id"]
    same = {"op": "replace", "path": "/name", "value": demo.show(image)["name"]}
    before = demo.show(image)
    demo.put(f"/v2/images/{image}/tags/there").expect(204)
    demo.patch(f"/v2/images/{image}", []).expect(200)
    demo.patch(f"/v2/images/{image}", [same]).expect(200)
    demo.post(f"/v2/images/{image}/actions/reactivate").expect(204)
    assert demo.show(image) == before
    assert told(server, image) == [("image.create", "success"), ("image.upload", "success")]
    for _ in range(2):
        admin.post(f"/v2/images/{image}/actions/deactivate").expect(204)
    for _ in range(2):
        admin.post(f"/v2/images/{image}/actions/reactivate").expect(204)
    demo.put(f"/v2/images/{image}/tags/new").expect(204)
    demo.patch(f"/v2/images/{image}", [{**same, "value": "another"}]).expect(200)
    assert told(server, image)[2:] == [
        ("image.update", "success"), ("image.update", "success"),
        ("image.tag.create", "success"), ("image.update", "success")]


def test_a_failed_upload_leaves_an_event(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    wrong = demo.create_image(disk_format="qcow2")["id"]
    demo.upload(wrong, b"this is no disk").expect(415)
    cut = demo.create_image()["id"]
    with demo.raw() as connection:
        connection.send(demo.head_lines("PUT", f"/v2/images/{cut}/file", "Content-Length: 9",
                                        "Content-Type: application/octet-stream") + b"x")
        harness.wait_until(lambda: demo.show(cut)["status"] == "saving", what="the upload")
    harness.wait_until(lambda: demo.show(cut)["status"] == "queued", what="the end of the upload")
    for image, status, code in ((wrong, "415", "IMG.0057"), (cut, "400", "IMG.0001")):
        assert told(server, image) == [("image.create", "success"), ("image.upload", "failure")]
        [failure] = [event for event in server.events()
                     if event["target"]["id"] == image and event["outcome"] == "failure"]
        assert failure["reason"] == {"reasonType": "HTTP", "reasonCode": status,
                                     "policyType": "IMS", "policyId": code}
        assert failure["name"] == "updateImage"
        assert failure["initiator"]["id"] == demo.user_id


def test_jobs_on_an_image_name_it_from_the_start(fresh_server):
    server = fresh_server(config='[buckets]\ndriver = "directory"\n')
    demo = server.client("demo")
    bucket = server.directory / "buckets" / demo.project_id / "files"
    bucket.mkdir(parents=True)
    (bucket / "there").write_bytes(b"x")
    image, waits = demo.create_image(b"x", name="web"), demo.create_image(name="later")
    jobs = []
    for verb, path, body, code in (
            ("POST", f"{image['id']}/file",
             {"bucket_url": "files:there", "is_quick_export": True}, "IMG.0070"),
            ("PUT", f"{waits['id']}/upload", {"image_url": "files:absent"}, "IMG.0057")):
        answer = demo.request(verb, f"/v1/cloudimages/{path}", json=body).expect(200)
        jobs.append(answer.json()["job_id"])
        assert demo.wait_job(jobs[-1])["error_code"] == code
    assert server.stop() == 0
    target = {"typeURI": "data/image", "project_id": demo.project_id}
    assert [(event["event_type"], event["outcome"], event["target"], event.get("reason", {}))
            for event in server.events() if event.get("job_id") in jobs] == [
        (kind, outcome, {"id": of["id"], "name": of["name"], **target}, reason)
        for kinds, of, code in ((("image.export",) * 2, image, "IMG.0070"),
                                (("image.update", "image.upload"), waits, "IMG.0057"))
        for kind, outcome, reason in zip(kinds, ("pending", "failure"), (
            {}, {"reasonType": "HTTP", "reasonCode": "400", "policyType": "IMS",
                 "policyId": code}))]


def resource(fields):
    """As pycadf takes it, which refuses members that it does not know, such as those of ours."""
    known = {name: fields[name] for name in ("id", "typeURI", "name") if name in fields}
    if "host" in fields:
        known["host"] = cadf_host.Host(**fields["host"])
    assert cadf_taxonomy.is_valid_resource(fields["typeURI"])
    return cadf_resource.Resource(**known)


def assert_is_cadf(line):
    fields = {name: line[name] for name in ("eventType", "id", "eventTime", "action", "outcome",
                                            "name")}
    parts = {name: resource(line[name]) for name in ("initiator", "target", "observer")}
    if "reason" in line:
        parts["reason"] = cadf_reason.Reason(**line["reason"])
    assert cadf_event.Event(**fields, **parts).is_valid(), line
    assert line["typeURI"] == cadf_event.TYPE_URI_EVENT
    assert ("reason" in line) == (line["outcome"] == "failure")


@pytest.mark.filterwarnings("ignore:Invalid uuid")  # ids of events end in a number
def test_every_event_is_one_of_pycadf(fresh_server):
    server = fresh_server()
    demo, alt, admin = (server.client(name) for name in ("demo", "alt", "admin"))
    image = demo.create_image(b"x", tags=["t"])["id"]
    demo.upload(demo.create_image(disk_format="qcow2")["id"], b"this is no disk").expect(415)
    demo.share([image], [alt.project_id, "f" * 32])
    alt.answer_share([image])
    demo.unshare([image], [alt.project_id])
    demo.delete(f"/v2/images/{image}/tags/t").expect(204)
    admin.post(f"/v2/images/{image}/actions/deactivate").expect(204)
    demo.delete(f"/v2/images/{image}").expect(204)
    interrupted = demo.create_image()["id"]
    with demo.raw() as connection:
        connection.send(demo.head_lines("PUT", f"/v2/images/{interrupted}/file",
                                        "Content-Length: 9",
                                        "Content-Type: application/octet-stream") + b"x")
        harness.wait_until(lambda: demo.show(interrupted)["status"] == "saving", what="an upload")
        server.kill()
    server.start()
    told(server, image)
    lines = server.events()
    for line in lines:
        assert_is_cadf(line)
    lines = [line for line in lines if line["service_type"] == "IMS"]
    assert {line["resource_type"] for line in lines} == {"image"}
    assert {(line["event_type"], line["outcome"]) for line in lines} == {
        ("image.create", "success"), ("image.upload", "success"), ("image.upload", "failure"),
        ("image.member.create", "pending"), ("image.member.create", "success"),
        ("image.member.create", "failure"), ("image.member.update", "pending"),
        ("image.member.update", "success"), ("image.member.delete", "pending"),
        ("image.member.delete", "success"), ("image.tag.delete", "success"),
        ("image.update", "success"), ("image.delete", "success")}
    [by_server] = [line for line in lines if line["initiator"]["id"] == "observer"]
    assert by_server["target"]["id"] == interrupted


def made(client, path, **fields):
    """The id of what was made there."""
    [kind] = fields
    return client.post(path, fields).expect(201).json()[kind]["id"]


def changed(client, path, **fields):
    client.request("PATCH", path, json=fields).expect(200)


def identity_events(server, initiator):
    """(event type, id of the target, its other members of ours) of what they did, in order."""
    told(server, "")
    found = []
    for line in server.events():
        if line["service_type"] != "IAM" or line["initiator"]["id"] != initiator:
            continue
        assert_is_cadf(line)
        assert line["resource_type"] == line["target"]["typeURI"].rsplit("/", 1)[1].replace(
            "credential", "application_credential")
        rest = {name: value for name, value in line["target"].items()
                if name not in ("id", "typeURI", "name")}
        found.append((line["event_type"].removeprefix("identity."), line["target"]["id"], rest))
    return found


@identity.builtin_only
@pytest.mark.filterwarnings("ignore:Invalid uuid")
def test_a_change_of_identity_leaves_one_event(fresh_server):
    server = fresh_server()
    admin = server.client("admin")
    project = made(admin, "/v3/projects", project={"name": "shop"})
    admin.post("/v3/projects", {"project": {"name": "shop"}}).expect(409)
    user = made(admin, "/v3/users", user={"name": "ann", "password": "hidden-1"})
    role = made(admin, "/v3/roles", role={"name": "auditor"})
    for _ in range(2):  # the second time each changes nothing
        changed(admin, f"/v3/users/{user}", user={"email": "a@example.org", "enabled": True})
        changed(admin, f"/v3/projects/{project}", project={"description": "of Ann"})
        changed(admin, f"/v3/roles/{role}", role={"name": "looker"})
        admin.put(f"/v3/projects/{project}/users/{user}/roles/{role}").expect(204)
    changed(admin, f"/v3/users/{user}", user={"password": "hidden-2", "enabled": False})
    admin.delete(f"/v3/projects/{project}/users/{user}/roles/{role}").expect(204)
    admin.delete(f"/v3/projects/{project}/users/{user}/roles/{role}").expect(404)
    admin.put(f"/v3/domains/default/users/{user}/roles/{role}").expect(204)
    for path in (f"users/{user}", f"roles/{role}", f"projects/{project}"):
        admin.delete(f"/v3/{path}").expect(204)
    on_project = {"user_id": user, "project_id": project}
    assert identity_events(server, admin.user_id) == [
        ("project.create", project, {}), ("user.create", user, {}), ("role.create", role, {}),
        ("user.update", user, {"changed": ["email"]}),
        ("project.update", project, {"changed": ["description"]}),
        ("role.update", role, {"changed": ["name"]}),
        ("role_assignment.create", role, on_project),
        ("user.update", user, {"changed": ["enabled", "password"]}),
        ("role_assignment.delete", role, on_project),
        ("role_assignment.create", role, {"user_id": user, "domain_id": "default"}),
        ("user.delete", user, {}), ("role.delete", role, {}), ("project.delete", project, {})]
    assert "hidden" not in (server.directory / "audit.jsonl").read_text()


@identity.builtin_only
@pytest.mark.filterwarnings("ignore:Invalid uuid")
def test_what_users_change_of_their_own_leaves_events_without_a_secret(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    mine = f"/v3/users/{demo.user_id}"
    credential = made(demo, mine + "/application_credentials",
                      application_credential={"name": "robot", "secret": "hidden-secret"})
    demo.delete(f"{mine}/application_credentials/{credential}").expect(204)
    password = server.clouds()["demo"]["auth"]["password"]
    demo.post(mine + "/password", {"user": {"original_password": password,
                                            "password": "hidden-password"}}).expect(204)
    marker = server.client("alt").create_image()["id"]
    harness.wait_until(lambda: marker in json.dumps(server.events()), what="the events so far")
    lines = [line for line in server.events() if line["initiator"]["id"] == demo.user_id]
    whose = {"user_id": demo.user_id, "project_id": demo.project_id}
    assert [(line["event_type"], line["target"]["id"]) for line in lines] == [
        ("identity.application_credential.create", credential),
        ("identity.application_credential.delete", credential),
        ("identity.user.update", demo.user_id)]
    assert lines[0]["target"].items() >= whose.items()
    assert lines[2]["target"]["changed"] == ["password"]
    trail = (server.directory / "audit.jsonl").read_text()
    assert "hidden" not in trail and password not in trail


@identity.builtin_only
@database.sqlite_only  # a command line finds the directory; a PostgreSQL needs a configuration
@pytest.mark.filterwarnings("ignore:Invalid uuid")
def test_identity_commands_leave_events_too(fresh_server):
    server = fresh_server()

    def command(*arguments):
        done = run("identity", "--standalone", server.directory, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().rsplit("\n", 1)[-1]

    project = command("project", "create", "shop")
    user = command("user", "create", "ann", "--project", "shop", "--generate")
    command("user", "disable", "ann")
    command("rotate-keys")
    member = next(role["id"] for role in server.client("admin").get("/v3/roles").json()["roles"]
                  if role["name"] == "member")
    assert identity_events(server, "operator") == [
        ("project.create", project, {}), ("user.create", user, {}),
        ("role_assignment.create", member, {"user_id": user, "project_id": project}),
        ("user.update", user, {"changed": ["enabled"]}),
        ("key.update", "2", {"changed": ["key"]})]
    command("rotate-keys", "--void-tokens")
    server.client("admin")
    assert identity_events(server, "operator")[-1] == (
        "key.update", "3", {"changed": ["key", "tokens"]})


@identity.builtin_only
@pytest.mark.filterwarnings("ignore:Invalid uuid")
def test_a_revoked_token_leaves_an_event_that_cannot_be_used(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    mine = {"X-Subject-Token": demo.token}
    told_of = demo.get("/v3/auth/tokens", headers=mine).expect(200).json()["token"]
    demo.delete("/v3/auth/tokens", headers=mine).expect(204)
    told(server, "")
    [line] = [line for line in server.events() if line["resource_type"] == "token"]
    assert_is_cadf(line)
    assert (line["name"], line["event_type"]) == ("revokeToken", "identity.token.delete")
    assert line["initiator"]["id"] == demo.user_id
    assert line["target"] == {
        "id": told_of["audit_ids"][0], "typeURI": "data/security/credential", "name": "",
        "user_id": demo.user_id, "project_id": demo.project_id}
    assert demo.token not in (server.directory / "audit.jsonl").read_text()


@identity.builtin_only
@pytest.mark.filterwarnings("ignore:Invalid uuid")
def test_the_accounts_of_a_start_are_those_of_the_server(fresh_server):
    server = fresh_server()
    users = {line[1] for line in identity_events(server, "observer") if line[0] == "user.create"}
    assert users >= {server.client(name).user_id for name in ("admin", "demo", "alt")}


@identity.builtin_only
def test_a_disabled_user_s_application_credential_is_refused_at_once(fresh_server):
    server = fresh_server()
    admin, demo, nobody = server.client("admin"), server.client("demo"), server.client()
    made_one = demo.post(f"/v3/users/{demo.user_id}/application_credentials", {
        "application_credential": {"name": "robot"}}).expect(201).json()["application_credential"]
    proof = {"auth": {"identity": {
        "methods": ["application_credential"],
        "application_credential": {"id": made_one["id"], "secret": made_one["secret"]}}}}
    token = nobody.post("/v3/auth/tokens", proof).expect(201).headers["X-Subject-Token"]
    nobody.get("/v2/images", headers={"X-Auth-Token": token}).expect(200)
    changed(admin, f"/v3/users/{demo.user_id}", user={"enabled": False})
    nobody.get("/v2/images", headers={"X-Auth-Token": token}).expect(401)
    nobody.post("/v3/auth/tokens", proof).expect(401)


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
