"""What an operator meets on PostgreSQL only."""

import os
import subprocess
import threading

import pytest

import database
import harness

pytestmark = pytest.mark.skipif(database.ENGINE != "postgres", reason="of PostgreSQL")


def run(server, *arguments):
    return subprocess.run([str(harness.BINARY), *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=60,
                          env={**os.environ, **server.environment})


def test_db_upgrade_makes_the_schema_and_says_what_it_did(tmp_path):
    server = harness.Server(tmp_path / "data")
    server.database.create()
    try:
        first = run(server, "db", "upgrade")
        assert first.returncode == 0, first.stderr
        assert first.stdout.startswith("applied initial\napplied identity\n")
        again = run(server, "db", "upgrade", "--contract")
        assert (again.returncode, again.stdout) == (0, "up to date\n")
        server.start()
        server.client("demo").create_image(b"x")
    finally:
        server.finish()


def test_db_upgrade_without_a_database_is_refused():
    refused = subprocess.run([str(harness.BINARY), "db", "upgrade"], capture_output=True, text=True,
                             check=False, timeout=60)
    assert refused.returncode == 1
    assert "database.url" in refused.stderr


def test_a_server_without_its_database_says_so_and_hides_the_password(tmp_path):
    server = harness.Server(tmp_path / "data", environment={
        "VITRINE_DATABASE_URL": "postgresql://vitrine:hunter2@127.0.0.1:1/none"})
    refused = run(server, "serve", "--standalone", server.directory, "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "cannot connect to the database" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_a_restart_of_the_database_is_not_seen_by_clients(fresh_server):
    """Sessions end at any moment; every request is answered as if they had not."""
    server = fresh_server()
    demo = server.client("demo")
    stopping, failures = threading.Event(), []

    def use():
        while not stopping.is_set():
            created = demo.post("/v2/images", {"name": "x"})
            shown = created.status == 201 and demo.get(f"/v2/images/{created.json()['id']}")
            if created.status != 201 or shown.status != 200:
                failures.append((created, shown))

    users = [threading.Thread(target=use) for _ in range(4)]
    for user in users:
        user.start()
    for _ in range(20):
        before = server.database.rows("SELECT COUNT(*) FROM images")
        server.database.cut()
        harness.wait_until(lambda seen=before: server.database.rows("SELECT COUNT(*) FROM images")
                           != seen, what="more images")
    stopping.set()
    for user in users:
        user.join()
    # A session that ended at the very commit leaves an outcome nobody knows: that is 503, no more.
    assert {created.status for created, _ in failures} <= {503}
    assert len(failures) < 20


def test_prepared_statements_may_be_off(fresh_server):
    server = fresh_server(environment={"VITRINE_DATABASE_PREPARED_STATEMENTS": "false"})
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(b"x", tags=["t"])["id"]
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.answer_share([image])["status"] == "SUCCESS"
    assert alt.listed("tag=t") == [image]


@pytest.fixture
def beside(fresh_server, tmp_path):
    """beside(first): another server on the database of the first one. It must be stopped first.

    Nobody reads image data here, so an operator's mark stands for an object store."""
    def start(first, config=None):
        blobs = tmp_path / "data1/blobs"
        blobs.mkdir(parents=True)
        (blobs / "vitrine-store").touch()
        return fresh_server(config=config, environment={
            "VITRINE_DATABASE_URL": first.database.url})
    return start


def test_a_job_of_another_server_is_left_alone_until_its_lease_is_over(fresh_server, beside):
    config = "[jobs]\nlease_seconds = 6\npoll_seconds = 1\n"
    first = fresh_server(config=config)
    admin, demo = first.client("admin"), first.client("demo")
    projects = admin.projects(250)
    images = [demo.create_image(b"x")["id"] for _ in range(100)]
    job_id = demo.post("/v1/cloudimages/members",
                       {"images": images, "projects": projects}).expect(200).json()["job_id"]

    def holder():
        return first.database.rows("SELECT status, worker FROM jobs WHERE id = ?", job_id)[0]

    harness.wait_until(lambda: holder()[0] != "INIT", 30, "a worker for the job")
    first.kill()
    held = holder()
    assert held[0] == "RUNNING", "it must be interrupted"
    second = beside(first, config)
    assert holder() == held
    job = harness.Client(second, first.clouds()["demo"]).wait_job(job_id, 60)
    assert job["status"] == "SUCCESS"
    assert len(job["entities"]["results"]) == 25000
    assert second.stop() == 0


def test_of_two_servers_one_writes_an_event(fresh_server, beside):
    first = fresh_server()
    second = beside(first)
    created = []

    def create(server):
        demo = harness.Client(server, first.clouds()["demo"])
        created.extend(demo.create_image()["id"] for _ in range(100))

    users = [threading.Thread(target=create, args=(server,)) for server in (first, second) * 2]
    for user in users:
        user.start()
    for user in users:
        user.join()
    harness.wait_until(lambda: first.database.rows("SELECT COUNT(*) FROM audit_outbox")
                       == [("0",)], 30, "an empty outbox")
    assert second.stop() == 0
    assert first.stop() == 0
    events = first.events() + second.events()
    told = [event["target"]["id"] for event in events if event["name"] == "createImage"]
    assert sorted(told) == sorted(created)
    assert len({event["id"] for event in events}) == len(events)
