"""The parts that replicas share, each started for one test."""

import keystone
import postgres
import pytest
import s3
import small_disk
from parts import BUCKET, DATABASE, SECONDS, STORE

# Memory, so no more than the rows and the images of a run need.
DATABASE_DISK_BYTES = 160 << 20
DATABASE_DISK_BYTES_OF_A_SECOND = 1 << 20
STORE_DISK_BYTES = 128 << 20
STORE_DISK_BYTES_OF_A_SECOND = 2 << 20


@pytest.fixture
def cluster():
    started = postgres.Cluster(durable=True)
    started.sql(f"CREATE DATABASE {DATABASE}")
    yield started
    started.remove()


@pytest.fixture
def make_disk():
    """make_disk(what, size_bytes): a disk to fill; nothing where none can be had."""
    made = []

    def make(what, size_bytes):
        if not small_disk.possible():
            print(f"chaos: the disk of {what} is not filled here")
            return None
        made.append(small_disk.SmallDisk(size_bytes))
        return made[-1]

    yield make
    for disk in made:
        disk.remove()


@pytest.fixture
def small_cluster(make_disk):
    """A cluster on a small disk of its own, or on none where none can be had."""
    disk = make_disk("the database",
                     DATABASE_DISK_BYTES + int(SECONDS * DATABASE_DISK_BYTES_OF_A_SECOND))
    started = postgres.Cluster(durable=True, disk=disk)
    started.sql(f"CREATE DATABASE {DATABASE}")
    yield started
    started.remove()


@pytest.fixture
def store_disk(make_disk):
    """The disk of the object store; that of a Ceph is its own affair."""
    if STORE is not s3:
        return None
    return make_disk("the object store",
                     STORE_DISK_BYTES + int(SECONDS * STORE_DISK_BYTES_OF_A_SECOND))


@pytest.fixture
def object_store(store_disk):
    started = s3.ObjectStore(store_disk) if store_disk else STORE.ObjectStore()
    started.add_bucket(BUCKET)
    yield started
    if started.process.poll() is None:
        started.resume()
    started.remove()


@pytest.fixture(scope="session")
def clouds_file():
    """The accounts of a Keystone."""
    with keystone.running() as known:
        yield known.clouds_file


@pytest.fixture
def shared_parts(cluster, object_store):
    """The environment of a server that keeps everything in them."""
    return {"VITRINE_DATABASE_URL": cluster.url.replace("/postgres", f"/{DATABASE}"),
            "VITRINE_STORAGE_DRIVER": "s3",
            "VITRINE_S3_ENDPOINT": object_store.url, "VITRINE_S3_BUCKET": BUCKET,
            "VITRINE_S3_ACCESS_KEY": s3.ACCESS_KEY, "VITRINE_S3_SECRET_KEY": s3.SECRET_KEY,
            "VITRINE_STORAGE_SWEEP_SECONDS": "1", "VITRINE_STORAGE_STRAY_SECONDS": "0"}
