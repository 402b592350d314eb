"""Conditions that no request can bring about: set in the database of a server that is down."""

from contextlib import contextmanager


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
    with stopped(server) as database:
        database.set_properties(disabled, __system__cmkid="key-off")
        database.set_properties(granted, __system__cmkid="key-on")
        database.rows("INSERT INTO encryption_keys VALUES ('key-off', 'disabled'), "
                      "('key-on', 'enabled')")
        database.rows("INSERT INTO key_grants VALUES ('key-on', ?)", alt.project_id)
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
        database.refuse("INSERT", bad)
    demo = server.client("demo")
    job = demo.share([bad, good], [alt.project_id])
    assert [pair.get("error_code") for pair in job["entities"]["results"]] == ["IMG.0112", None]
    assert demo.members(bad) == {}
    assert demo.show(bad)["visibility"] == "private"
    with stopped(server) as database:
        database.allow("INSERT")
        database.refuse("DELETE", good)
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
