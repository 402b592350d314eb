"""Fixtures of the black-box tests: one shared server, or a fresh one where that is needed."""

import os
import random

import pytest

import cloud
import harness

SEED = int(os.environ.get("VITRINE_SEED", "20250304"))


def pytest_report_header():
    return f"vitrine: {harness.BINARY}, seed {SEED} (VITRINE_SEED)"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that the tests share; they leave it running and judge only what they made."""
    shared = harness.Server(tmp_path_factory.mktemp("shared") / "data").start()
    yield shared
    assert shared.running(), f"the shared server died:\n{shared.log()[-4000:]}"
    shared.finish()


@pytest.fixture
def fresh_server(tmp_path):
    """Starts servers of one's own; the arguments are those of harness.Server."""
    servers = []

    def start(directory=None, **options):
        target = directory or tmp_path / f"data{len(servers)}"
        servers.append(harness.Server(target, **options))
        return servers[-1].start()

    yield start
    for started in servers:
        started.finish()


@pytest.fixture
def openstack():
    """A stand-in for Nova and Cinder; its `config` leads there."""
    made = cloud.Cloud()
    yield made
    made.close()


def user_fixture(name):
    @pytest.fixture(scope="session", name=name)
    def user(server):
        return server.client(name)
    return user


admin = user_fixture("admin")
demo = user_fixture("demo")
alt = user_fixture("alt")
third = user_fixture("third")
viewer = user_fixture("viewer")


@pytest.fixture(scope="session")
def nobody(server):
    return server.client()


@pytest.fixture
def rng():
    """Randomness that every run repeats; the header of the run names the seed."""
    return random.Random(SEED)
