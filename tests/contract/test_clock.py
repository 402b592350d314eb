"""Servers that share a database go by its clock, whatever their own ones say."""

import datetime

import pytest

import clock
import database
import harness

pytestmark = pytest.mark.skipif(database.ENGINE != "postgres" or harness.SANITIZED,
                                reason="of servers that share a database; no sanitizer bears it")
HOUR = 3600


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_wrong_clock_is_not_written_down(fresh_server, tmp_path, seconds):
    off = clock.Clock(tmp_path / "clock")
    off.be_off(seconds)
    server = fresh_server(environment=off.environment)
    demo = server.client("demo")
    created = datetime.datetime.fromisoformat(demo.create_image()["created_at"])
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - created).total_seconds()) < 60
    off.be_off(-seconds)
    later = datetime.datetime.fromisoformat(demo.create_image()["created_at"])
    assert created <= later < created + datetime.timedelta(minutes=1)
