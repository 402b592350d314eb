"""`vitrine quota`: the limits of single projects, set beside a running server."""

import os
import subprocess

import harness
from identity import DRIVER, builtin_only


def quota(server, *arguments):
    done = subprocess.run(
        [str(harness.BINARY), "quota", *arguments, "--standalone", str(server.directory),
         *server.settings],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **server.environment})
    return done.returncode, done.stdout + done.stderr


def limits(client):
    rows = client.get("/v1/cloudimages/quota").expect(200).json()["quotas"]["resources"]
    return {row["type"]: (row["used"], row["quota"]) for row in rows}


def test_a_limit_of_one_project_holds_at_once_and_only_there(fresh_server):
    server = fresh_server(config="[quota]\napply_to_native = true\nimage = 2\n")
    demo, alt = server.client("demo"), server.client("alt")
    assert quota(server, "set", demo.project_id, "image", "1") == (0, "")
    assert limits(demo)["image"] == (0, 1)
    assert limits(alt)["image"] == (0, 2)
    demo.post("/v2/images", json={"name": "one"}).expect(201)
    assert demo.post("/v2/images", json={"name": "two"}).status == 413
    assert quota(server, "show", demo.project_id) == (
        0, "image         1 of 1\nimage_shared  0 of 1000\nimage_member  0 of 256\n")
    assert quota(server, "reset", demo.project_id, "image") == (0, "")
    assert limits(demo)["image"] == (1, 2)
    demo.post("/v2/images", json={"name": "two"}).expect(201)


@builtin_only
def test_a_project_is_named_or_known_by_its_id(fresh_server):
    server = fresh_server()
    assert quota(server, "set", "demo", "image", "7") == (0, "")
    assert limits(server.client("demo"))["image"] == (0, 7)
    status, said = quota(server, "set", "nobody", "image", "7")
    assert (status, said) == (1, "vitrine: Could not find project: nobody.\n")
    assert server.database.rows("SELECT COUNT(*) FROM quotas") in ([(1,)], [("1",)])


def test_a_default_beyond_the_usual_range_may_be_a_limit_too(fresh_server):
    server = fresh_server(config="[quota]\nimage = 5000\nimage_shared = 20\n")
    demo = server.client("demo")
    assert quota(server, "set", demo.project_id, "image", "5000") == (0, "")
    assert quota(server, "set", demo.project_id, "image", "5001") == (
        1, "vitrine: limit: 5001 is not within 0 and 5000\n")
    assert quota(server, "set", demo.project_id, "image_shared", "10000") == (0, "")
    assert limits(demo) == {"image": (0, 5000), "image_shared": (0, 10000),
                            "image_member": (0, 256)}


def test_a_change_of_a_limit_leaves_an_event(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    for _ in range(2):  # the second time changes nothing
        assert quota(server, "set", demo.project_id, "image", "7") == (0, "")
    for _ in range(2):
        assert quota(server, "reset", demo.project_id, "image") == (0, "")
    marker = demo.create_image()["id"]
    harness.wait_until(lambda: marker in str(server.events()), what="the events so far")
    lines = [line for line in server.events() if line["resource_type"] == "quota"]
    assert [line["name"] for line in lines] == ["setQuota", "resetQuota"]
    assert [line["event_type"] for line in lines] == ["quota.update", "quota.delete"]
    for line in lines:
        assert (line["service_type"], line["outcome"]) == ("IMS", "success")
        assert (line["initiator"]["id"], line["initiator"]["name"]) == ("operator", "vitrine quota")
        assert line["target"] == {"id": demo.project_id, "typeURI": "data/security/project",
                                  "name": "", "changed": ["image"]}


def test_a_limit_below_what_is_there_takes_nothing_away(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    demo.create_image(b"kept")
    assert quota(server, "set", demo.project_id, "image", "0") == (0, "")
    assert limits(demo)["image"] == (1, 0)


def test_what_is_no_limit_is_refused_by_name_and_changes_nothing(fresh_server):
    server = fresh_server(config="[images]\nmember_max = 5\n")
    demo = server.client("demo")
    before = limits(demo)
    for arguments, text in [
            (("image", "-1"), "limit: -1 is not within 0 and 1000"),
            (("image", "1001"), "limit: 1001 is not within 0 and 1000"),
            (("image_shared", "10001"), "limit: 10001 is not within 0 and 10000"),
            (("image_member", "6"), "limit: 6 is not within 0 and 5"),
            (("images", "3"), "resource: 'images' is none of image, image_shared, image_member")]:
        assert quota(server, "set", demo.project_id, *arguments) == (1, f"vitrine: {text}\n")
    assert quota(server, "reset", demo.project_id, "images")[0] == 1
    unknown = {"builtin": "Could not find project: no/project.",
               "keystone": "'no/project' is not the id of a project of Keystone: 32 hex digits, or "
                           "default; `openstack project show` tells it"}[DRIVER]
    assert quota(server, "show", "no/project") == (1, f"vitrine: {unknown}\n")
    assert quota(server, "set", demo.project_id, "image", "many")[0] == 2
    assert limits(demo) == before
