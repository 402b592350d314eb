"""Whose rights count at a bucket: those of the EC2 credential that the caller has in Keystone."""

import pytest
import s3

import harness
import identity
from signing import make_key
from test_imports import failed, system

DATA = b"bytes of a disk" * 1000


@pytest.fixture
def gateway():
    started = s3.ObjectStore()
    yield started
    started.remove()


@pytest.fixture
def server(gateway, clouds_file, tmp_path):
    started = harness.Server(tmp_path / "data", accounts=identity.Keystone(clouds_file), config=(
        f'[buckets]\ndriver = "s3"\nendpoint = "{gateway.url}"\n[jobs]\npoll_seconds = 1\n'))
    yield started.start()
    started.finish()


def test_a_user_reaches_what_their_credential_reaches(server, gateway):
    demo, alt, third = (server.client(name) for name in ("demo", "alt", "third"))
    keys = [make_key(client) for client in (demo, alt)]
    for key, bucket in zip(keys, ("of-demo", "of-alt")):
        gateway.add_user(key.access, key.secret, bucket)

    image = demo.create_image(DATA, name="there")["id"]
    job = demo.wait_job(demo.post(f"/v1/cloudimages/{image}/file", {
        "bucket_url": "of-demo:disk", "is_quick_export": True}).expect(200).json()["job_id"])
    assert job["status"] == "SUCCESS", job
    assert (gateway.root / "of-demo/disk").read_bytes() == DATA
    job = system(demo, "of-demo:disk", name="and back")
    assert job["status"] == "SUCCESS", job
    assert demo.download(job["entities"]["image_id"]).body == DATA

    assert failed(system(alt, "of-demo:disk"), "IMG.0069")
    assert failed(system(third, "of-demo:disk"), "IMG.0037")
    demo.delete(f"/v3/users/{demo.user_id}/credentials/OS-EC2/{keys[0].access}").expect(204)
    assert failed(system(demo, "of-demo:disk", name="without"), "IMG.0037")
    for key in keys:
        assert key.secret not in server.log()
