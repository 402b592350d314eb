"""Three replicas on one PostgreSQL and one object store, while all are killed, paused and cut, the
disk of the store is full and clocks are wrong.

A checker that knows only what clients were told finds no acknowledged change lost, no job without
one end, no image stuck, no stray bytes, nothing of others seen. VITRINE_CHAOS_SECONDS says how
long, VITRINE_SEED repeats a run's choices.
"""

import collections
import contextlib
import os
import random
import signal
import subprocess
import threading
import time

import pytest
import users
from clock import Clock
from parts import DATABASE, SECONDS

import harness

SEED = int(os.environ.get("VITRINE_SEED", "20250304"))
REPLICAS, USERS_OF_A_PROJECT = 3, 2
LEASE_SECONDS = 2
CONFIG = (f"[jobs]\nlease_seconds = {LEASE_SECONDS}\npoll_seconds = 1\n"
          "[quota]\nimage = 1000000\n")
# As far as an object store lets a clock be off is 15 minutes.
CLOCK_OFF_SECONDS = 600


@pytest.fixture
def clocks(tmp_path):
    return [Clock(tmp_path / f"clock{n}") for n in range(REPLICAS)]


@pytest.fixture
def replicas(shared_parts, clocks, tmp_path):
    servers = [harness.Server(tmp_path / f"replica{n}", config=CONFIG,
                              environment={**shared_parts, **clock.environment})
               for n, clock in enumerate(clocks)]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.finish()


class Faults:
    """What befalls the parts. Each fault ends before the next one comes."""

    def __init__(self, replicas, clocks, cluster, object_store, disk, rng, stopping):
        self.replicas, self.clocks = replicas, clocks
        self.cluster, self.object_store, self.disk = cluster, object_store, disk
        self.rng, self.stopping = rng, stopping
        self.deck = []  # so that a short run meets every kind
        self.count = collections.Counter()

    def strike(self):
        if not self.deck:
            self.deck = [self.kill, self.pause, self.crash_database, self.kill_store,
                         self.pause_store, self.skew_clock, *([self.fill_disk] * bool(self.disk))]
            self.rng.shuffle(self.deck)
        fault = self.deck.pop()
        self.count[fault.__name__] += 1
        fault()

    def last(self, shortest, longest):
        """Lets a state last for some seconds, unless the run ends."""
        self.stopping.wait(self.rng.uniform(shortest, longest))

    def kill(self):
        self.rng.choice(self.replicas).restart()

    def pause(self):
        """Past its lease, so that another takes its jobs over while it believes it holds them."""
        process = self.rng.choice(self.replicas).process
        process.send_signal(signal.SIGSTOP)
        self.last(LEASE_SECONDS * 0.5, LEASE_SECONDS * 2.5)
        process.send_signal(signal.SIGCONT)

    def crash_database(self):
        self.cluster.stop("immediate")
        self.last(0, 2)
        self.cluster.start()

    def kill_store(self):
        self.object_store.kill()
        self.last(0, 2)
        self.object_store.start()

    def pause_store(self):
        self.object_store.pause()
        self.last(0, 3)
        self.object_store.resume()

    def fill_disk(self):
        self.disk.fill()
        self.last(0.5, 3)
        self.disk.free()

    def skew_clock(self):
        clock = self.rng.choice(self.clocks)
        clock.be_off(self.rng.choice([-1, 1]) * self.rng.randrange(10, CLOCK_OFF_SECONDS))
        self.last(1, 4)
        clock.be_off(0)


def rows(cluster, query):
    return cluster.sql(query, database=DATABASE)


def check_what_is_kept(cluster):
    assert not rows(cluster, "SELECT id FROM jobs WHERE status NOT IN ('SUCCESS', 'FAIL')")
    assert rows(cluster, "SELECT id FROM images WHERE status = 'saving'") == []
    assert rows(
        cluster, "SELECT id FROM images i WHERE member_count > 256 OR member_count <> "
        "(SELECT COUNT(*) FROM image_members m WHERE m.image_id = i.id)") == []
    assert rows(cluster, "SELECT COUNT(*) FROM audit_outbox") == [["0"]]


def check_audit_trail(replicas, workers):
    told = [event for server in replicas for event in server.events()]
    ids = collections.Counter(event["id"] for event in told)
    assert ids.most_common(1)[0][1] == 1, "an event was written twice"
    created = {event["target"]["id"] for event in told if event["name"] == "createImage"}
    assert {image.id for worker in workers for image in worker.images
            if not image.copied} <= created


def check_blobs(server):
    """No data is missing, none is nobody's once the sweepers were there."""
    def findings():
        done = subprocess.run(
            [harness.BINARY, "blobs", "check", "--standalone", server.directory],
            capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, **server.environment})
        return done.stdout.splitlines()[:-1] if done.returncode in (0, 1) else [done.stderr]
    with contextlib.suppress(AssertionError):
        harness.wait_until(lambda: not findings(), 60)
    assert findings() == []


def test_nothing_acknowledged_is_lost_whatever_fails(replicas, clocks, cluster, object_store,
                                                      disk):
    print(f"chaos: seed {SEED}, {SECONDS:.0f} s")
    rng = random.Random(SEED)
    stopping = threading.Event()
    clouds = replicas[0].clouds()
    names = ["demo", "alt", "third"]
    crowded = users.CrowdedImage(replicas[0].client(names[0]))
    workers = [users.User(replicas, clouds, owner, set(names) - {owner},
                          crowded if owner == names[0] else None,
                          random.Random(rng.random()), stopping)
               for owner in names for _ in range(USERS_OF_A_PROJECT)]
    for worker in workers:
        worker.start()
    faults = Faults(replicas, clocks, cluster, object_store, disk, rng, stopping)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not stopping.is_set():
        faults.last(0, 1)  # all is well
        faults.strike()
    stopping.set()
    for worker in workers:
        worker.join()
    print(f"chaos: {sum(worker.done for worker in workers)} deeds, {dict(faults.count)}")
    for worker in workers:
        if worker.failure:
            raise worker.failure

    harness.wait_until(lambda: rows(cluster, "SELECT COUNT(*) FROM audit_outbox") == [["0"]], 60,
                       "an empty outbox")
    harness.wait_until(lambda: not rows(cluster, "SELECT id FROM images WHERE status = 'saving'"),
                       120, "the end of every upload")
    check_what_is_kept(cluster)
    for worker in workers:
        for image in worker.images:
            worker.check(image)
        for job_id, (caller, ended) in worker.jobs.items():
            assert worker.ended(caller, job_id) == ended, "a job has one outcome"
        worker.check_copies()
    crowded.check(workers[0].caller)
    assert sum(len(worker.images) for worker in workers) > 10 and len(faults.count) > 3
