"""The tags of an image as the extension sees them: E21, E24 to E27, E29 (contract: ims-api 9)."""

import threading
import uuid

import pytest

import harness
from identity import builtin_only
from tags import (
    act, ask, expect, found, of_project, pair, pairs, put, put_v1, remove, remove_v1, strings,
    tags_path, total)

UMLAUT = "ä"


@pytest.fixture(scope="module", name="server")
def own_server(tmp_path_factory):
    """The tags of a project are those of all its images: no other test may add to them."""
    own = harness.Server(tmp_path_factory.mktemp("tags") / "data").start()
    yield own
    own.finish()


def refused(client, image_id, answer, status, code):
    """The answer, and an image that is as it was."""
    before = client.show(image_id)
    expect(answer(), status, code)
    assert client.show(image_id) == before


def told(server, image_id):
    """The events about an image, as soon as an event after them is there."""
    marker = server.client("demo").create_image()["id"]
    harness.wait_until(lambda: any(event["target"]["id"] == marker for event in server.events()),
                       what="the events so far")
    return [(event["event_type"], event["name"], event["outcome"]) for event in server.events()
            if event["target"]["id"] == image_id][1:]


ADDED = ("image.tag.create", "addTag", "success")
REMOVED = ("image.tag.delete", "deleteTag", "success")


def test_strings_are_the_truth_and_the_pairs_a_view(server):
    demo = server.client("demo")
    image = demo.create_image(tags=["golden", "env=prod", "a=b=c", "k=", "k", "a-b"])["id"]
    assert pairs(demo, image) == [
        ("a", "b=c"), ("a-b", ""), ("env", "prod"), ("golden", ""), ("k", "")]
    put(demo, image, "env", "test").expect(204)
    put(demo, image, "k", "").expect(204)
    put(demo, image, "golden", "yes").expect(204)
    assert strings(demo, image) == ["a-b", "a=b=c", "env=test", "golden=yes", "k"]
    assert demo.listed(f"tag=env%3Dtest&id={image}") == [image]
    assert demo.listed(f"tag=env%3Dprod&id={image}") == []


def test_the_same_again_changes_nothing(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image(tags=["env=prod"])["id"]
    before = demo.show(image)
    put(demo, image, "env", "prod").expect(204)
    put_v1(demo, image_id=image, tag="env.prod").expect(204)
    act(demo, image, "create", [pair(" env ", " prod ")]).expect(204)
    act(demo, image, "delete", [pair("other")]).expect(204)
    remove_v1(demo, image, {"tags": [{"key": "other"}]}).expect(204)
    for empty in (None, []):
        act(demo, image, "create", empty).expect(204)
        act(demo, image, "delete", empty).expect(204)
        remove_v1(demo, image, {"tags": empty}).expect(204)
    remove_v1(demo, image, {}).expect(204)
    expect(remove(demo, image, "other"), 404, "IMG.0115")
    assert demo.show(image) == before
    assert told(server, image) == []


def test_every_change_is_one_event_and_a_new_time(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image(tags=["env=prod"])["id"]
    changes = [
        (lambda: put(demo, image, "env", "test"), ["env=test"], ADDED),
        (lambda: act(demo, image, "create", [pair("a", "1"), pair("b"), pair("env", "x")]),
         ["a=1", "b", "env=x"], ADDED),
        (lambda: put_v1(demo, image_id=image, tag="c.2"), ["a=1", "b", "c=2", "env=x"], ADDED),
        (lambda: act(demo, image, "delete", [pair("a", "ignored"), pair("none")]),
         ["b", "c=2", "env=x"], REMOVED),
        (lambda: remove_v1(demo, image, {"tags": [{"key": "b"}, {"key": "c"}]}), ["env=x"],
         REMOVED),
        (lambda: remove(demo, image, "env"), [], REMOVED)]
    for change, left, _ in changes:
        # Times are told in seconds: one in the past shows whether it moves.
        server.database.rows("UPDATE images SET updated_at = ? WHERE id = ?", 1_000_000_000, image)
        expect(change(), 204)
        assert strings(demo, image) == left
        assert demo.show(image)["updated_at"] > "2020"
    assert told(server, image) == [event for _, _, event in changes]


@pytest.mark.parametrize("tag, stored", [
    ("env.prod", "env=prod"), ("env=prod", "env=prod"), ("env.prod.eu", "env=prod.eu"),
    ("a.b=c", "a.b=c"), ("golden", "golden"), (" spaced . out ", "spaced=out"),
    ("golden.", "golden"), ("x" * 36 + "." + "y" * 43, "x" * 36 + "=" + "y" * 43)])
def test_one_tag_by_its_string(server, tag, stored):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    expect(put_v1(demo, image_id=image, tag=tag), 204)
    assert strings(demo, image) == [stored]


def test_one_tag_as_a_pair_and_as_clients_send_both(server):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    expect(put_v1(demo, image_id=image.upper(), image_tag=pair("a.b", "c.d")), 204)
    assert strings(demo, image) == ["a.b=c.d"]
    # The Go client sends both, the other one empty.
    expect(put_v1(demo, image_id=image, tag="env.prod", image_tag=pair("", "")), 204)
    expect(put_v1(demo, image_id=image, tag="", image_tag=pair("k", "v")), 204)
    expect(put_v1(demo, image_id=image, tag="x", image_tag=None), 204)
    expect(put_v1(demo, image_id=image, tag=None, image_tag={"key": "y"}), 204)
    assert strings(demo, image) == ["a.b=c.d", "env=prod", "k=v", "x", "y"]
    both = {"tag": "a.b", "image_tag": pair("k", "w")}
    for body, code in [(both, "IMG.0115"), ({}, "IMG.0115"), ({"tag": ""}, "IMG.0115"),
                       ({"image_tag": pair("")}, "IMG.0115"), ({"tag": " .v"}, "IMG.0115"),
                       ({"tag": 5}, "IMG.0001"), ({"image_tag": "k"}, "IMG.0001"),
                       ({"image_tag": {"key": 1}}, "IMG.0001")]:
        refused(demo, image, lambda: put_v1(demo, image_id=image, **body), 400, code)


@pytest.mark.parametrize("tag", [
    pair(""), pair("   "), pair("x" * 37), pair(UMLAUT * 37), pair("k", "y" * 44), pair("a=b"),
    pair("a\tb"), pair("k", "a\nb"), pair("k", "\u0085"), pair("k", "\x7f"), pair("\tk"),
    {"key": None, "value": "x"}, {"value": "x"}])
def test_what_is_no_tag_is_refused_everywhere_alike(server, tag):
    demo = server.client("demo")
    image = demo.create_image(tags=["kept"])["id"]
    refused(demo, image, lambda: demo.post(tags_path(demo, image), {"tag": tag}), 400, "IMG.0115")
    refused(demo, image, lambda: act(demo, image, "create", [pair("fine"), tag]), 400, "IMG.0115")
    refused(demo, image, lambda: put_v1(demo, image_id=image, image_tag=tag), 400, "IMG.0115")


def test_the_longest_tags_are_taken(server):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    expect(put(demo, image, f"  {UMLAUT * 36}  ", f" {UMLAUT * 43} "), 204)
    expect(put(demo, image, "a b/c", "x=y/z"), 204)
    assert pairs(demo, image) == [("a b/c", "x=y/z"), (UMLAUT * 36, UMLAUT * 43)]


def test_ten_tags_and_no_more(server):
    demo = server.client("demo")
    image = demo.create_image(tags=[f"n{i}" for i in range(9)])["id"]
    refused(demo, image, lambda: act(demo, image, "create", [pair("a"), pair("b")]),
            400, "IMG.0116")
    expect(act(demo, image, "create", [pair("a"), pair("n0", "x")]), 204)
    assert len(strings(demo, image)) == 10
    refused(demo, image, lambda: put(demo, image, "b"), 400, "IMG.0116")
    refused(demo, image, lambda: put_v1(demo, image_id=image, tag="b"), 400, "IMG.0116")
    expect(put(demo, image, "a", "other"), 204)
    # Natively there may be more, and they stay; from here it may only become fewer.
    for i in range(2):
        demo.put(f"/v2/images/{image}/tags/more{i}").expect(204)
    expect(put(demo, image, "a", "other"), 204)
    refused(demo, image, lambda: put(demo, image, "a", "third"), 400, "IMG.0116")
    expect(remove(demo, image, "a"), 204)
    assert len(strings(demo, image)) == 11


@pytest.mark.parametrize("body, code", [
    ({"action": "Create", "tags": [pair("a")]}, "IMG.0001"),
    ({"action": "add", "tags": [pair("a")]}, "IMG.0001"),
    ({"action": None, "tags": [pair("a")]}, "IMG.0001"),
    ({"tags": [pair("a")]}, "IMG.0001"),
    ({"action": 1, "tags": [pair("a")]}, "IMG.0001"),
    ({"action": "create", "tags": {}}, "IMG.0001"),
    ({"action": "create", "tags": ["a"]}, "IMG.0001"),
    ({"action": "create", "tags": [{"key": "a", "value": 1}]}, "IMG.0001"),
    ({"action": "create", "tags": [pair("a", "1"), pair("a", "1")]}, "IMG.0115"),
    ({"action": "create", "tags": [pair("a", "1"), pair(" a ", "2")]}, "IMG.0115"),
    ({"action": "create", "tags": [pair("a")] + [pair("x" * 37)]}, "IMG.0115"),
    ({"action": "delete", "tags": [pair("kept"), pair("kept")]}, "IMG.0115"),
    ({"action": "delete", "tags": [pair("kept"), pair("")]}, "IMG.0115"),
    ({"action": "delete", "tags": [pair("kept"), pair("x" * 128)]}, "IMG.0115"),
    ({"action": "delete", "tags": [pair("kept", "x" * 256)]}, "IMG.0115"),
    (None, "IMG.0007"), ([], "IMG.0001")])
def test_a_batch_that_is_wrong_changes_nothing(server, body, code):
    demo = server.client("demo")
    image = demo.create_image(tags=["kept"])["id"]
    path = tags_path(demo, image, "action")
    refused(demo, image, lambda: demo.request("POST", path, json=body), 400, code)


def test_what_is_removed_is_bound_by_wider_limits(server):
    demo = server.client("demo")
    long = UMLAUT * 127
    image = demo.create_image(
        tags=[long + "=x", "tab\tbed", " spaced ", "kept", "a=1", "a=2"])["id"]
    expect(act(demo, image, "delete", [pair(long, "y" * 255), pair("tab\tbed")]), 204)
    assert strings(demo, image) == [" spaced ", "a=1", "a=2", "kept"]
    # What E27 tells can be removed, natively made or not.
    expect(act(demo, image, "delete", [pair(" spaced "), pair(" a ")]), 204)
    assert strings(demo, image) == ["kept"]
    expect(remove_v1(demo, image, {"tags": [{"key": "x" * 128}]}), 400, "IMG.0115")
    expect(remove_v1(demo, image, {"tags": [{"key": "x"}, {"key": "x"}]}), 400, "IMG.0115")
    expect(remove_v1(demo, image, {"tags": "kept"}), 400, "IMG.0001")
    assert strings(demo, image) == ["kept"]


def test_one_key_is_removed_by_its_path(server):
    demo = server.client("demo")
    long = UMLAUT * 255
    image = demo.create_image(tags=["a b/c=1", "a b/c=2", "action=x", "ä", long, "50%", "a"])["id"]
    for key in ("a b/c", "action", "ä", long, "50%"):
        # The Go client sends these and no body.
        answer = demo.delete(tags_path(demo, image, harness.quote(key)), headers={
            "Content-Type": "application/json", "X-Language": "en-us"})
        expect(answer, 204)
        expect(remove(demo, image, key), 404, "IMG.0115")
    assert strings(demo, image) == ["a"]


def test_paths_and_verbs(server):
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(tags=["kept"])["id"]
    wrong = demo.get(tags_path(demo, image, "action"))
    assert (wrong.status, wrong.code()) == (405, "IMG.0105")
    assert sorted(wrong.headers["Allow"].split(", ")) == ["DELETE", "POST"]
    assert demo.delete(tags_path(demo, image)).status == 405
    elsewhere = f"/v2/{alt.project_id}/images"
    for answer in (demo.get(f"{elsewhere}/{image}/tags"), demo.get(f"{elsewhere}/tags"),
                   demo.delete(f"{elsewhere}/{image}/tags/kept"),
                   demo.post(f"{elsewhere}/{image}/tags", {"tag": pair("x")}),
                   demo.post(f"{elsewhere}/resource_instances/action", {"action": "count"})):
        expect(answer, 400, "IMG.0030")
    expect(demo.get(tags_path(demo, "no-uuid")), 400, "IMG.0066")
    expect(demo.delete(tags_path(demo, "no-uuid", "kept")), 400, "IMG.0066")
    expect(put_v1(demo, image_id="no-uuid", tag="x"), 400, "IMG.0066")
    expect(put_v1(demo, tag="x"), 400, "IMG.0066")
    # Natively there is no project `images`.
    assert demo.get("/v2/images/images/tags").code() is None
    assert strings(demo, image) == ["kept"]


def test_who_sees_an_image_reads_its_tags_and_the_owner_writes_them(server):
    demo, alt, third, admin = (server.client(name) for name in ("demo", "alt", "third", "admin"))

    def writes(client, image_id):
        yield put(client, image_id, "x")
        yield act(client, image_id, "create", [pair("x")])
        yield act(client, image_id, "delete", None)
        yield remove(client, image_id, "env")
        yield remove_v1(client, image_id, {"tags": [{"key": "env"}]})

    def all_refused(client, image_id, status, code):
        for answer in writes(client, image_id):
            expect(answer, status, code)
        body_code = "IMG.0027" if code == "IMG.0144" else code
        expect(put_v1(client, image_id=image_id, tag="x"), 400, body_code)
        assert strings(demo, image_id) == ["env=prod"]

    private = demo.create_image(tags=["env=prod"])["id"]
    expect(alt.get(tags_path(alt, private)), 404, "IMG.0144")
    all_refused(alt, private, 404, "IMG.0144")
    none = str(uuid.uuid4())
    expect(alt.get(tags_path(alt, none)), 404, "IMG.0144")
    expect(put(alt, none, "x"), 404, "IMG.0144")
    expect(put_v1(alt, image_id=none, tag="x"), 400, "IMG.0027")

    shared = demo.create_image(b"x", tags=["env=prod"])["id"]
    demo.share([shared], [alt.project_id])
    for status in ("pending", "accepted", "rejected"):
        if status != "pending":
            alt.answer_share([shared], status)
        assert pairs(alt, shared) == [("env", "prod")]
        all_refused(alt, shared, 400, "IMG.0047")
    all_refused(third, shared, 404, "IMG.0144")

    public = admin.create_image(tags=["env=prod"], visibility="public", owner=demo.project_id)["id"]
    assert pairs(third, public) == [("env", "prod")]
    all_refused(third, public, 400, "IMG.0083")
    expect(put(demo, public, "mine"), 204)
    # An administrator passes the owner rule, with any project in the path.
    expect(admin.post(tags_path(demo, public), {"tag": pair("by", "admin")}), 204)
    assert strings(demo, public) == ["by=admin", "env=prod", "mine"]
    admin.delete(f"/v2/images/{public}").expect(204)


@builtin_only
def test_a_reader_reads_and_changes_nothing(server):
    demo, viewer = server.client("demo"), server.client("viewer")
    image = demo.create_image(tags=["env=prod"])["id"]
    assert pairs(viewer, image) == [("env", "prod")]
    viewer.get(f"/v2/{viewer.project_id}/images/tags").expect(200)
    ask(viewer, action="count").expect(200)
    for answer in (put(viewer, image, "x"), act(viewer, image, "delete", [pair("env")]),
                   remove(viewer, image, "env"), put_v1(viewer, image_id=image, tag="x"),
                   remove_v1(viewer, image, {"tags": [{"key": "env"}]})):
        expect(answer, 403, "IMG.0026")
    assert strings(demo, image) == ["env=prod"]


def test_the_policy_decides(fresh_server, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"ims:images:update": "role:admin"\n"ims:images:list": "role:member"\n'
                      '"get_image": "role:admin or not \'public\':%(visibility)s"\n')
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n')
    demo, admin = server.client("demo"), server.client("admin")
    image = demo.create_image(tags=["env=prod"])["id"]
    expect(put(demo, image, "x"), 403, "IMG.0026")
    assert pairs(demo, image) == [("env", "prod")]
    # Whom the policy denies an image does not learn of it by its tags.
    hidden = admin.create_image(tags=["env=secret"], visibility="public", owner=demo.project_id)
    expect(demo.get(tags_path(demo, hidden["id"])), 404, "IMG.0144")
    assert of_project(demo) == [("env", ["prod"])]
    assert total(demo) == 1
    assert found(demo, limit=5) == (1, [image])


def test_of_two_at_once_both_are_kept(server):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    keys = [f"k{i}" for i in range(10)]
    answers = []

    def add(key):
        answers.append(put(server.client("demo"), image, key, "v").status)

    threads = [threading.Thread(target=add, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [204] * 10
    assert pairs(demo, image) == [(key, "v") for key in keys]


def test_what_the_terraform_provider_does(server):
    demo = server.client("demo")
    image = demo.create_image()["id"]
    act(demo, image, "create", [pair("foo", "bar"), pair("key", "value")]).expect(204)
    assert strings(demo, image) == ["foo=bar", "key=value"]
    old = demo.get(tags_path(demo, image)).expect(200).json()["tags"]
    act(demo, image, "delete", old).expect(204)
    act(demo, image, "create", [pair("foo2", "bar2")]).expect(204)
    assert pairs(demo, image) == [("foo2", "bar2")]
    # Its native resource sets strings, and wants just them back.
    native = demo.create_image(tags=["foo", "bar"])["id"]
    assert strings(demo, native) == ["bar", "foo"]
