"""The primary of two PostgreSQL servers dies under load, and its standby takes over.

The standby replicates synchronously, as whoever cannot lose a write has it: what a client was told
is stored is on both. The service is not told of the change; it has both hosts in its URL.
"""

import creators
import postgres
import pytest
from parts import DATABASE

import harness

CREATORS = 4
IMAGES, PROJECTS = 100, 250
# A short patience, so that the outage shows; the lease of a job is over soon after it.
CONFIG = ("[database]\nconnect_timeout_seconds = 1\npool_size = 8\n"
          "[jobs]\nlease_seconds = 2\npoll_seconds = 1\n")


@pytest.fixture
def standby(cluster):
    started = postgres.Cluster(durable=True, standby_of=cluster)
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", user="postgres")
    cluster.sql("SELECT pg_reload_conf()", user="postgres")
    harness.wait_until(lambda: cluster.sql("SELECT sync_state FROM pg_stat_replication",
                                           user="postgres") == [["sync"]],
                       what="a synchronous standby")
    yield started
    started.remove()


@pytest.fixture
def server(cluster, standby, tmp_path):
    hosts = ",".join(f"127.0.0.1:{member.port}" for member in (cluster, standby))
    started = harness.Server(tmp_path / "data", config=CONFIG, environment={
        "VITRINE_DATABASE_URL": f"postgresql://vitrine@{hosts}/{DATABASE}"})
    yield started.start()
    started.finish()


def test_a_fail_over_is_an_outage_and_loses_nothing(server, cluster, standby):
    admin, demo = server.client("admin"), server.client("demo")
    projects = admin.projects(PROJECTS)
    images = [demo.create_image(b"x")["id"] for _ in range(IMAGES)]
    process = server.process.pid
    with creators.at_work(server, CREATORS) as at_work:
        creators.wait_for_more(at_work, "made")
        job_id = demo.post("/v1/cloudimages/members",
                           {"images": images, "projects": projects}).expect(200).json()["job_id"]
        harness.wait_until(lambda: demo.job(job_id)["status"] == "RUNNING", what="a running job")

        cluster.stop("immediate")
        for path in ("/v2/images", "/healthcheck/ready", f"/v2/images/{images[0]}"):
            harness.wait_until(lambda asked=path: demo.get(asked).status == 503,
                               what=f"503 for {path}")
        creators.wait_for_more(at_work, "refused")
        assert demo.get("/healthcheck").status == 200
        standby.promote()
        harness.wait_until(lambda: demo.get("/healthcheck/ready").status == 200, what="recovery")
        creators.wait_for_more(at_work, "made")

    job = demo.wait_job(job_id, 60)
    assert job["status"] == "SUCCESS"
    assert len(job["entities"]["results"]) == IMAGES * PROJECTS
    assert standby.sql("SELECT COUNT(*) FROM image_members", database=DATABASE) == [
        [str(IMAGES * PROJECTS)]]
    assert {status for creator in at_work for status in creator.refused} == {503}
    told = {image for creator in at_work for image in creator.made}
    kept = {image for [image] in standby.sql("SELECT id FROM images", database=DATABASE)}
    assert told <= kept and set(images) <= kept
    assert server.process.pid == process and server.process.poll() is None
