"""A server whose PostgreSQL is behind a pgbouncer, in both modes that it works with."""

import threading

import pgbouncer
import pytest

import database
import harness

pytestmark = pytest.mark.skipif(database.ENGINE != "postgres", reason="of PostgreSQL")
POOL = 4  # connections that pgbouncer keeps to the server
USERS = 8
IMAGES = 10


@pytest.fixture(params=["session", "transaction"])
def mode(request):
    return request.param


@pytest.fixture
def bounced(mode, tmp_path):
    """A server behind pgbouncer. One that keeps its sessions leaves some to other commands."""
    directory = tmp_path / "data"
    settings = {"session": {"POOL_SIZE": str(POOL // 2)},
                "transaction": {"PREPARED_STATEMENTS": "false"}}
    with pgbouncer.Bouncer(database.CLUSTER, mode, POOL) as bouncer:
        server = harness.Server(directory, environment={
            "VITRINE_DATABASE_URL": bouncer.url(database.Database(directory).name),
            **{f"VITRINE_DATABASE_{name}": value for name, value in settings[mode].items()}})
        yield server.start()
        server.finish()


def test_everything_works_behind_a_pooler(bounced):
    demo, alt = bounced.client("demo"), bounced.client("alt")
    image = demo.create_image(b"some data", tags=["t"], name="bounced")["id"]
    assert demo.download(image).body == b"some data"
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.answer_share([image])["status"] == "SUCCESS"
    assert alt.listed("tag=t") == [image]
    assert demo.unshare([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.listed("tag=t") == []
    demo.delete(f"/v2/images/{image}").expect(204)
    demo.get(f"/v2/images/{image}").expect(404)


def test_more_users_than_connections_get_along(bounced):
    """Transactions of many users share few connections, and mix nothing up."""
    made, failures = {}, []

    def use(number):
        demo = harness.Client(bounced, bounced.clouds()["demo"])
        try:
            for n in range(IMAGES):
                name = f"{number}-{n}"
                image = demo.create_image(name.encode(), name=name)["id"]
                assert demo.get(f"/v2/images/{image}").json()["name"] == name
                assert demo.listed(f"name={name}") == [image]
                made[image] = name
        except BaseException as failure:  # told below
            failures.append(failure)

    users = [threading.Thread(target=use, args=(number,)) for number in range(USERS)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert failures == []
    assert len(made) == USERS * IMAGES
    assert sorted(bounced.database.rows("SELECT id, name FROM images")) == sorted(made.items())
    [[sessions]] = bounced.database.rows(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE 'vitrine-%'")
    assert 1 <= int(sessions) <= POOL


def test_in_transaction_mode_nothing_stays_with_a_session(bounced, mode):
    """What one client of a pooler sets or prepares, the next one would meet."""
    if mode == "session":
        pytest.skip("a session is its client's own")
    demo = bounced.client("demo")
    for _ in range(IMAGES):
        demo.create_image()
    seen = database.psql(bounced.environment["VITRINE_DATABASE_URL"],
                         "SELECT current_setting('lock_timeout'), "
                         "current_setting('idle_in_transaction_session_timeout'), "
                         "(SELECT COUNT(*) FROM pg_prepared_statements)")
    assert seen == [("0", "0", "0")]
