"""Servers that do one half of the work: `api` answers clients, `worker` does what waits."""

import os
import subprocess

import pytest

import database
import harness
import store

shared = pytest.mark.skipif(database.ENGINE != "postgres" or store.KIND != "s3",
                            reason="of servers that share a database and a store")
alone = pytest.mark.skipif(database.ENGINE != "sqlite" or store.KIND != "file",
                           reason="of a server alone")


@pytest.fixture
def pair(fresh_server):
    """pair(): a server of role api, and what starts one of role worker beside it."""
    started = []

    def start():
        api = fresh_server(arguments=["--role", "api"])

        def start_worker():
            environment = {**api.environment, "VITRINE_SERVER_ROLE": "worker"}
            started.append(fresh_server(environment=environment, store=api.store))
            return started[-1]

        return api, start_worker

    yield start
    for worker in started:
        if worker.running():
            assert worker.stop() == 0  # before its database goes


@shared
def test_a_role_of_api_leaves_jobs_and_upkeep_to_the_role_of_worker(pair):
    api, start_worker = pair()
    demo, alt = api.client("demo"), api.client("alt")
    images = [demo.create_image(data)["id"] for data in (b"x", b"x", b"y")]
    job_id = demo.post("/v1/cloudimages/members", {"images": images[:2], "projects": [
        alt.project_id]}).expect(200).json()["job_id"]
    demo.delete(f"/v2/images/{images[2]}").expect(204)

    # What a server does again and again it does once more at its end.
    assert api.stop() == 0
    api.start()
    assert demo.job(job_id)["status"] == "INIT"
    assert api.database.rows("SELECT status, worker, began_at FROM jobs") == [("INIT", "", "")]
    assert api.database.rows("SELECT DISTINCT holder = '' FROM audit_outbox") == [("t",)]
    assert api.database.rows("SELECT COUNT(*) FROM blobs") == [("2",)]
    assert not (api.directory / "audit.jsonl").exists()

    worker = start_worker()
    assert demo.wait_job(job_id)["status"] == "SUCCESS"
    assert demo.members(images[0]) == {alt.project_id: "pending"}
    harness.wait_until(lambda: "createImage" in {event["name"] for event in worker.events()},
                       what="the audit trail of the worker")
    harness.wait_until(lambda: api.database.rows("SELECT COUNT(*) FROM blobs") == [("1",)],
                       what="the sweep of what no image needs")
    assert not (api.directory / "audit.jsonl").exists()


@shared
@pytest.mark.parametrize("path", ["/", "/versions", "/v2", "/v2/images", "/v1/cloudimages/members",
                                  "/v3", "/v3/auth/tokens", "/elsewhere"])
def test_a_role_of_worker_has_no_api(pair, path):
    _, start_worker = pair()
    nobody = start_worker().client()
    for method in ("GET", "POST"):
        assert nobody.request(method, path).status == 404, method
    for open_path in ("/healthcheck", "/healthcheck/live", "/healthcheck/ready", "/metrics"):
        nobody.get(open_path).expect(200)


@shared
def test_a_role_of_api_answers_for_its_health(pair):
    api, _ = pair()
    for path in ("/healthcheck", "/healthcheck/live", "/healthcheck/ready", "/metrics"):
        api.client().get(path).expect(200)


def run(*arguments):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    return subprocess.run([str(harness.BINARY), *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=60, env=plain)


@alone
@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_server_alone_has_every_role(tmp_path, role):
    reason = f"server.role: {role} needs database.url: servers of other roles share it"
    refused = run("serve", "--standalone", tmp_path / "data", "--role", role)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"vitrine: command line: {reason}\n")
    config = tmp_path / "vitrine.toml"
    config.write_text(f'[server]\nrole = "{role}"\n')
    refused = run("check-config", config)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{config}:2: {reason}\n" in refused.stderr
    config.write_text('[server]\nrole = "all"\n')
    assert run("check-config", config).returncode == 0


@alone
def test_a_role_is_for_image_data_that_is_shared(tmp_path):
    config = tmp_path / "vitrine.toml"
    config.write_text('[server]\nrole = "api"\n[database]\nurl = "postgresql://host/vitrine"\n')
    refused = run("check-config", config)
    assert refused.stderr == (f"vitrine: {config}:2: server.role: api needs storage.driver = s3: "
                              "servers of other roles share the image data\n")
