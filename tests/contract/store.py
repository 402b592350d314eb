"""Where a server keeps image data, seen past the server: a folder, or a bucket.

VITRINE_TEST_STORE=s3 gives every directory a bucket of its own in the object store that
VITRINE_TEST_S3 names (tests/components/s3.py).
"""

import hashlib
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "components"))

import s3  # noqa: E402  (the path comes first)

KIND = os.environ.get("VITRINE_TEST_STORE", "file")
s3_only = pytest.mark.skipif(KIND != "s3", reason="of object stores")
URL, _, FOLDER = os.environ.get("VITRINE_TEST_S3", "").partition(" ")


class Store:
    """The image data of the server over one directory; in `place` = (url, folder) when given."""

    def __init__(self, directory, place=None):
        self.bucket = "images-" + hashlib.sha1(str(directory).encode()).hexdigest()[:16]
        self.in_bucket = KIND == "s3"
        self.url, folder = place or (URL, FOLDER)
        self.folder = pathlib.Path(folder) / self.bucket if self.in_bucket else directory / "blobs"

    def environment(self):
        """Small parts and a sweeper that runs all the time: more happens at the same time."""
        return {"VITRINE_STORAGE_DRIVER": "s3", "VITRINE_S3_ENDPOINT": self.url,
                "VITRINE_S3_BUCKET": self.bucket, "VITRINE_S3_PREFIX": "some/place-",
                "VITRINE_S3_ACCESS_KEY": s3.ACCESS_KEY, "VITRINE_S3_SECRET_KEY": s3.SECRET_KEY,
                "VITRINE_S3_PART_SIZE_MIB": "5", "VITRINE_STORAGE_SWEEP_SECONDS": "1",
                "VITRINE_STORAGE_STRAY_SECONDS": "0"} if self.in_bucket else {}

    def create(self):
        if self.in_bucket:
            self.folder.mkdir(exist_ok=True)

    def drop(self):
        if self.in_bucket:
            shutil.rmtree(self.folder, ignore_errors=True)

    def files(self):
        """The files with image data, staged or stored."""
        return [path for path in self.folder.rglob("*")
                if path.is_file() and not path.name.endswith("vitrine-store")]

    def bytes(self):
        sizes = []
        for path in self.files():
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:  # renamed or removed meanwhile
                pass
        return sum(sizes)
