"""otcextensions, unchanged: what it adds to openstacksdk for images in buckets."""

from unittest import mock

import openstack
import pytest
from otcextensions import sdk

import harness

DISK = b"sixteen bytes ok" * 4096
DEBIAN = "Debian GNU/Linux 12.0.0 64bit"


class User:
    """One user's view, whose jobs are looked at more often than every ten seconds."""

    def __init__(self, server, name):
        cloud = server.identity.cloud_name(name)
        self.connection = openstack.connection.Connection(
            config=openstack.config.OpenStackConfig(
                config_files=[str(server.identity.clouds_file)],
                load_envvars=False).get_one(cloud=cloud))
        sdk.register_otc_extensions(self.connection)
        self.v1, self.v2 = self.connection.imsv1, self.connection.imsv2

    def ended(self, asked):
        return self.v1.wait_for_async_job(asked, timeout=30, wait=0.2)


@pytest.fixture(scope="module")
def errors():
    """It replaces this function for the whole process, so also for those who use openstacksdk."""
    with mock.patch.object(openstack.exceptions, "raise_from_response",
                           openstack.exceptions.raise_from_response):
        yield


@pytest.fixture(scope="module")
def as_demo(server, errors):
    return User(server, "demo")


@pytest.fixture(scope="module")
def as_alt(server, errors):
    return User(server, "alt")


@pytest.fixture(scope="module")
def bucket(server, demo):
    """A bucket of the project, as a folder."""
    folder = server.directory / "buckets" / demo.project_id / "otcextensions"
    folder.mkdir(parents=True)
    (folder / "web.raw").write_bytes(DISK)
    return folder


def create(user, **fields):
    return user.v2.create_image(**{"name": "otcx", "min_disk": 1, "os_version": DEBIAN,
                                   "image_url": "otcextensions:web.raw", **fields})


@pytest.mark.client("otcextensions", "create", "share", "accept", "tag", "export", "delete")
def test_the_life_of_an_image(as_demo, as_alt, demo, alt, bucket):
    asked = create(as_demo, description="front", is_config=True, min_ram=512, max_ram=1024,
                   image_tags=[{"key": "otcx", "value": "web"}])
    job = as_demo.ended(asked)
    assert (job.status, job.job_type, job.job_id) == ("SUCCESS", "imsImportImageJob", asked.job_id)
    assert job.entities["image_name"] == "otcx"
    image_id = job.entities["image_id"]

    image, = as_demo.v2.images(id=image_id)
    assert (image.name, image.status, image.size, image.image_size, image.checksum) == (
        "otcx", "active", len(DISK), str(len(DISK)), harness.md5(DISK))
    assert (image.imagetype, image.platform, image.os_bit, image.data_origin) == (
        "private", "Debian", "64", "file,otcextensions:web.raw")
    assert (image.tags, image.min_disk, image.min_ram, image.protected) == (
        ["otcx=web"], 1, 512, False)
    assert [row.id for row in as_demo.v2.images(
        tag="otcx=web", __imagetype="private", __platform="Debian", __os_type="Linux",
        protected=False, status="active", sort_key="name", sort_dir="asc")] == [image_id]
    assert not list(as_demo.v2.images(tag="otcx=web", __imagetype="gold"))

    as_demo.connection.image.add_member(image_id, member_id=alt.project_id)
    assert [row.id for row in as_alt.v2.images(member_status="pending", id=image_id)] == [image_id]
    as_alt.connection.image.update_member(alt.project_id, image_id, status="accepted")
    assert demo.members(image_id) == {alt.project_id: "accepted"}
    assert [row.id for row in as_alt.v2.images(member_status="accepted", id=image_id)] == [image_id]
    as_demo.connection.image.add_tag(image_id, "native")
    assert sorted(as_demo.connection.image.get_image(image_id).tags) == ["native", "otcx=web"]

    job = as_demo.ended(as_demo.v1.export_image(
        image_id=image_id, bucket_url="otcextensions:out/web.raw", file_format="raw"))
    assert (job.status, job.job_type) == ("SUCCESS", "imsNativeExportImageJob")
    assert (bucket / "out/web.raw").read_bytes() == DISK

    as_demo.connection.image.delete_image(image_id)
    assert not list(as_demo.v2.images(id=image_id))
    assert not list(as_alt.v2.images(id=image_id))


def test_an_update_is_made_though_the_client_trips_over_the_answer(as_demo, demo, bucket):
    """It reads an attribute that openstacksdk 4.5 took away, after it has read the answer."""
    image_id = as_demo.ended(create(as_demo)).entities["image_id"]
    with pytest.raises(AttributeError, match="create_returns_body"):
        as_demo.v2.update_image(image_id, command_list=[
            {"op": "replace", "path": "/name", "value": "renamed"},
            {"op": "add", "path": "/__description", "value": "new"}])
    shown = demo.show(image_id)
    assert (shown["name"], shown["__description"]) == ("renamed", "new")


def test_a_failed_job_and_a_refusal_are_errors(as_demo, bucket):
    asked = create(as_demo, image_url="otcextensions:nowhere")
    with pytest.raises(RuntimeError, match=f"{asked.job_id} failed"):
        as_demo.ended(asked)
    job = as_demo.v1.get_async_job(asked.job_id)
    assert (job.status, job.error_code) == ("FAIL", "IMG.0057")
    assert job.fail_reason
    with pytest.raises(openstack.exceptions.BadRequestException, match="bucket"):
        create(as_demo, image_url="no bucket")
