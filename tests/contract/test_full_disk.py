"""The disk of a directory is full, for rows, image data and all: told once, not with each write."""

import json

import database
import identity
import pytest
import small_disk
import store

from harness import Server, wait_until

pytestmark = [database.sqlite_only, identity.builtin_only,
              pytest.mark.skipif(store.KIND != "file", reason="of one directory"),
              pytest.mark.skipif(not small_disk.possible(), reason="no disk can be mounted here")]

MIB = 1 << 20
FULL = "The disk of the database is full."


class OnSmallDisk(Server):
    """One whose directory is a disk of its own; its log is not on it."""

    def __init__(self, directory, disk):
        super().__init__(directory)
        self.disk = disk
        directory.symlink_to(disk.outside)

    def command(self):
        there = {str(self.directory): str(self.disk.inside)}
        return self.disk.within([there.get(word, word) for word in super().command()])


@pytest.fixture
def server(tmp_path):
    disk = small_disk.SmallDisk(64 * MIB)
    started = OnSmallDisk(tmp_path / "data", disk)
    started.store_is_spoilt = True  # only the server sees its disk where its rows say it is
    try:
        yield started.start()
        started.finish()
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
        disk.remove()


def failures(server):
    """What the log tells of failures, without what differs each time."""
    lines = [json.loads(line) for line in server.log().splitlines()]
    return [tuple(line.get(name) for name in ("event", "duty", "statement", "detail"))
            for line in lines if line["level"] == "error"]


def test_it_is_told_once_until_it_works_again(server):
    demo = server.client("demo")
    demo.create_image()
    server.disk.fill()
    # Each write of a request fails, and so do those of the server itself, several a second.
    for _ in range(3):
        refused = demo.post("/v2/images", {"name": "too much"}).expect(503)
        assert refused.message() == "The disk of the database is full."
    wait_until(lambda: demo.get("/healthcheck/ready").status == 503)
    wait_until(lambda: ("upkeep.failed", "health", None, FULL) in failures(server))
    demo.post("/v2/images", {"name": "too much"}).expect(503)
    server.disk.free()
    wait_until(lambda: demo.get("/healthcheck/ready").status == 200)
    demo.post("/v2/images", {"name": "fits"}).expect(201)
    told = failures(server)
    assert told[0] == ("database.statement_failed", None, "commit", "database or disk is full")
    assert sorted(line[:2] for line in told) == sorted({line[:2] for line in told})
    assert {line[3] for line in told[1:]} == {FULL}
    wait_until(lambda: '"upkeep.works_again","duty":"health"' in server.log())
