"""Servers over one object store that is out for a while, or refuses one of them."""

import pytest
import s3
from parts import STORE

import clock
import harness
import identity
from test_imports import system

HOUR_SECONDS = 3600
IMAGES = 8
FAILED_REMOVAL = '"event":"store.failed","method":"DELETE"'


@pytest.fixture
def start(shared_parts, tmp_path):
    """start(name, **environment): a server over the shared parts."""
    started = []
    accounts = identity.Builtin(tmp_path / "one/clouds.yaml")  # the first one makes them

    def one(name, **environment):
        started.append(harness.Server(tmp_path / name, accounts=accounts, environment={
            **shared_parts, "VITRINE_JOBS_POLL_SECONDS": "1", **environment}))
        return started[-1].start()

    yield one
    for server in started:
        server.finish()


def test_what_is_deleted_while_the_store_is_out_goes_afterwards(start, object_store, rng):
    """Its rows were forgotten first, and its bytes then stayed for a day."""
    server = start("one", VITRINE_STORAGE_STRAY_SECONDS="86400")
    demo = server.client("demo")
    images = [demo.create_image(rng.randbytes(1000))["id"] for _ in range(IMAGES)]
    object_store.kill()
    for image in images:
        demo.delete(f"/v2/images/{image}").expect(204)
    harness.wait_until(lambda: server.log().count(FAILED_REMOVAL) >= 2,
                       what="two attempts to remove bytes")
    object_store.start()
    harness.wait_until(lambda: server.check_blobs() == (0, ["0 blobs compared, 0 wrong"]),
                       what="an empty store")


@pytest.mark.skipif(STORE is not s3 or harness.SANITIZED,
                    reason="makes accounts of that store; no sanitizer bears the wrong clock")
def test_a_server_whose_clock_the_store_refuses_leaves_imports_to_others(
        start, object_store, tmp_path):
    """They failed for good: the bucket could not be accessed."""
    object_store.add_user(s3.USER_KEY, s3.USER_SECRET, s3.USER_BUCKET)
    buckets = {"VITRINE_BUCKETS_DRIVER": "s3", "VITRINE_BUCKETS_ENDPOINT": object_store.url,
               "VITRINE_BUCKETS_ACCESS_KEY": s3.USER_KEY,
               "VITRINE_BUCKETS_SECRET_KEY": s3.USER_SECRET}
    right = start("one", **buckets)
    project = right.client("demo").project_id
    buckets["VITRINE_BUCKETS_ALLOW"] = f"{project}:{s3.USER_BUCKET}"
    right.stop()
    right.environment.update(buckets)
    demo = right.start().client("demo")
    image = demo.create_image(b"of a disk" * 100)["id"]
    job = demo.wait_job(demo.post(f"/v1/cloudimages/{image}/file", {
        "bucket_url": f"{s3.USER_BUCKET}:disk", "is_quick_export": True,
    }).expect(200).json()["job_id"])
    assert job["status"] == "SUCCESS", job

    off = clock.Clock(tmp_path / "clock")
    off.be_off(2 * HOUR_SECONDS)
    wrong = start("two", **buckets, **off.environment)
    unready = wrong.client().get("/healthcheck/ready")
    assert (unready.status, "clock" in unready.text) == (503, True), unready
    there = wrong.client("demo")
    for number in range(4):
        job = system(there, f"{s3.USER_BUCKET}:disk", name=f"from there {number}")
        assert job["status"] == "SUCCESS", job

    right.stop()
    waiting = there.post("/v2/cloudimages/action", {
        "name": "waits", "image_url": f"{s3.USER_BUCKET}:disk", "min_disk": 1}).expect(200)
    off.be_off(0)
    assert there.wait_job(waiting.json()["job_id"])["status"] == "SUCCESS"
    assert there.get("/healthcheck/ready").status == 200
