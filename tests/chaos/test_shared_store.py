"""Servers over one object store that is out for a while."""

import pytest

import harness
import identity

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
