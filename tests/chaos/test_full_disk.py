"""A commit that finds no room on the disk of PostgreSQL ends every session.

The error names a full disk, as that of a table that cannot grow. But whether what was committed is
there when the server has recovered, nobody can say before.
"""

import json
import re

import creators
import filling
import pytest
from parts import DATABASE

import harness

CREATORS, ROUNDS_MAX = 4, 20
CONFIG = "[database]\nconnect_timeout_seconds = 1\npool_size = 8\n[quota]\nimage = 1000000\n"
A_COMMIT_ENDED_IT = re.compile(
    rf"PANIC:  could not write .*: {filling.IS_FULL}\n.* STATEMENT:  COMMIT\n")


@pytest.fixture
def server(small_cluster, tmp_path):
    if not small_cluster.disk:
        pytest.skip("no disk can be mounted here")
    started = harness.Server(tmp_path / "data", config=CONFIG, environment={
        "VITRINE_DATABASE_URL": small_cluster.url.replace("/postgres", f"/{DATABASE}")})
    yield started.start()
    started.finish()


def test_a_commit_without_room_has_an_unknown_end(server, small_cluster):
    with creators.at_work(server, CREATORS) as at_work:
        for _ in range(ROUNDS_MAX):  # other statements may be first to find no room
            creators.wait_for_more(at_work, "made")
            filling.fill_until_told(small_cluster.disk, small_cluster.log, "PANIC: ")
            small_cluster.disk.free()
            harness.wait_until(small_cluster.revive, what="the database")
            if A_COMMIT_ENDED_IT.search(small_cluster.log.read_text()):
                break
        creators.wait_for_more(at_work, "made")
    assert A_COMMIT_ENDED_IT.search(small_cluster.log.read_text())
    assert {status for creator in at_work for status in creator.refused} == {503}
    told = {image for creator in at_work for image in creator.made}
    kept = {image for [image] in small_cluster.sql("SELECT id FROM images", database=DATABASE)}
    assert told <= kept
    # libpq itself writes what the database tells a session that is just beginning.
    lines = [line for line in server.log().splitlines() if not line.startswith("WARNING:")]
    failed = [line for line in map(json.loads, lines)
              if line["event"] == "database.statement_failed"]
    assert "commit" not in {line["statement"] for line in failed}, "a commit taken for refused"
    assert '"database.outcome_unknown"' in server.log()
