"""The parts that replicas share, each started for one test.

VITRINE_CHAOS_STORE says which object store of tests/components it is: s3 or rgw.
"""

import importlib
import os

import postgres
import pytest
import s3
import small_disk
from parts import BUCKET, DATABASE, SECONDS

# Memory, so no more than the images of a run need.
DISK_BYTES = 128 << 20
DISK_BYTES_OF_A_SECOND = 2 << 20

STORE = importlib.import_module(os.environ.get("VITRINE_CHAOS_STORE", "s3"))


@pytest.fixture
def cluster():
    started = postgres.Cluster(durable=True)
    started.sql(f"CREATE DATABASE {DATABASE}")
    yield started
    started.remove()


@pytest.fixture
def disk():
    """The disk of the object store; nothing where none of its own can be had."""
    if STORE is not s3 or not small_disk.possible():
        print("chaos: no disk is filled here")
        yield None
        return
    made = small_disk.SmallDisk(DISK_BYTES + int(SECONDS * DISK_BYTES_OF_A_SECOND))
    yield made
    made.remove()


@pytest.fixture
def object_store(disk):
    started = s3.ObjectStore(disk) if disk else STORE.ObjectStore()
    started.add_bucket(BUCKET)
    yield started
    if started.process.poll() is None:
        started.resume()
    started.remove()


@pytest.fixture
def shared_parts(cluster, object_store):
    """The environment of a server that keeps everything in them."""
    return {"VITRINE_DATABASE_URL": cluster.url.replace("/postgres", f"/{DATABASE}"),
            "VITRINE_STORAGE_DRIVER": "s3",
            "VITRINE_S3_ENDPOINT": object_store.url, "VITRINE_S3_BUCKET": BUCKET,
            "VITRINE_S3_ACCESS_KEY": s3.ACCESS_KEY, "VITRINE_S3_SECRET_KEY": s3.SECRET_KEY,
            "VITRINE_STORAGE_SWEEP_SECONDS": "1", "VITRINE_STORAGE_STRAY_SECONDS": "0"}
