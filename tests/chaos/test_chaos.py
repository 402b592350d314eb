"""Three replicas on one PostgreSQL and one object store, while all are killed, paused and cut, the
disks of the store, of the database and of a replica are full, and clocks are wrong.

A checker that knows only what clients were told finds no acknowledged change lost, no job without
one end, no image stuck, no stray bytes, nothing of others seen. VITRINE_CHAOS_SECONDS says how
long, VITRINE_SEED repeats a run's choices.
"""

import collections
import contextlib
import os
import random
import re
import signal
import subprocess
import threading
import time

import filling
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
AUDIT_TRAIL = re.compile(r'"upkeep\.(failed|works_again)","duty":"audit"')  # in the log
# A directory holds little but the audit trail.
REPLICA_DISK_BYTES, REPLICA_DISK_BYTES_OF_A_SECOND = 8 << 20, 1 << 18


@pytest.fixture
def cluster(small_cluster):
    return small_cluster


@pytest.fixture
def replica_disk(make_disk):
    return make_disk("a replica",
                     REPLICA_DISK_BYTES + int(SECONDS * REPLICA_DISK_BYTES_OF_A_SECOND))


class ReplicaOnDisk(harness.Server):
    """Keeps its directory on a small disk, and its log beside it."""

    def __init__(self, disk, log_path, **options):
        super().__init__(disk.outside / "replica", **options)
        self.disk, self.log_path = disk, log_path

    def command(self):
        outside, inside = str(self.disk.outside), str(self.disk.inside)
        return self.disk.within([part.replace(outside, inside) for part in super().command()])


@pytest.fixture
def clocks(tmp_path):
    return [Clock(tmp_path / f"clock{n}") for n in range(REPLICAS)]


@pytest.fixture
def replicas(shared_parts, clocks, replica_disk, tmp_path):
    options = [{"config": CONFIG, "environment": {**shared_parts, **clock.environment}}
               for clock in clocks]
    servers = [harness.Server(tmp_path / f"replica{n}", **each) for n, each in enumerate(options)]
    if replica_disk:
        servers[-1] = ReplicaOnDisk(replica_disk, servers[-1].log_path, **options[-1])
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.finish()


class Faults:
    """What befalls the parts. Each fault ends before the next one comes."""

    def __init__(self, replicas, clocks, cluster, object_store, store_disk, rng, stopping):
        self.replicas, self.clocks = replicas, clocks
        self.cluster, self.object_store, self.store_disk = cluster, object_store, store_disk
        self.rng, self.stopping = rng, stopping
        self.kinds = [self.kill, self.pause, self.crash_database, self.kill_store,
                      self.pause_store, self.skew_clock]
        if store_disk:
            self.kinds.append(self.fill_store_disk)
        if cluster.disk:
            self.kinds += [self.fill_database_disk, self.fill_replica_disk]
        self.deck = []  # so that a short run meets every kind
        self.count = collections.Counter()

    def strike(self):
        if not self.deck:
            self.deck = self.rng.sample(self.kinds, len(self.kinds))
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

    def fill_store_disk(self):
        self.store_disk.fill()
        self.last(0.5, 3)
        self.store_disk.free()

    def fill_database_disk(self):
        """It cannot grow a table; or its log, and ends, maybe at a commit."""
        disk, log = self.cluster.disk, self.cluster.log
        if self.rng.random() < 0.5:
            filling.fill_until_told(disk, log, filling.IS_FULL)
        else:
            filling.fill_until_told(disk, log, "PANIC: ", self.use_up_log)
        self.last(0, 2)
        disk.free()
        harness.wait_until(self.cluster.revive, what="the database")

    def use_up_log(self):
        """As far as its file reaches: what comes next needs a new one."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.cluster.sql("SELECT pg_switch_wal()", user="postgres")

    def fill_replica_disk(self):
        """It cannot write the audit trail. It may be killed, and starts all the same."""
        replica = self.replicas[-1]
        filling.fill_until_told(replica.disk, replica.log_path,
                                f"audit.jsonl: {filling.IS_FULL}")
        started_at = 0
        if self.rng.random() < 0.5:
            started_at = len(replica.log())
            replica.restart()
        self.last(0, 2)
        replica.disk.free()

        def writes():  # it says so once; another full disk would not be told before
            said = re.findall(AUDIT_TRAIL, replica.log()[started_at:])
            return said[-1:] in ([], ["works_again"])
        harness.wait_until(writes, what="an audit trail that goes on")

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


def test_nothing_acknowledged_is_lost_whatever_fails(replicas, clocks, cluster, object_store,
                                                      store_disk):
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
    faults = Faults(replicas, clocks, cluster, object_store, store_disk, rng, stopping)
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
    check_audit_trail(replicas, workers)
    replicas[0].wait_for_right_blobs(60)
    crowded.check(workers[0].caller)
    assert sum(len(worker.images) for worker in workers) > 10 and len(faults.count) > 3
