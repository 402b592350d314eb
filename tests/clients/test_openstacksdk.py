"""openstacksdk, unchanged, against the real program: what a program does."""

import hashlib

import openstack
import pytest

import harness


def connect(server, user):
    return openstack.connection.Connection(
        config=openstack.config.OpenStackConfig(
            config_files=[str(server.directory / "clouds.yaml")], load_envvars=False,
        ).get_one(cloud=server.identity.cloud_name(user)))


@pytest.fixture(scope="module")
def as_demo(server):
    with connect(server, "demo") as connection:
        yield connection


@pytest.fixture(scope="module")
def as_alt(server):
    with connect(server, "alt") as connection:
        yield connection


@pytest.mark.client("openstacksdk", "create", "share", "accept", "tag", "delete")
def test_the_life_of_an_image(as_demo, as_alt, alt, tmp_path, rng):
    data = rng.randbytes(200_003)
    source = tmp_path / "disk.raw"
    source.write_bytes(data)
    image = as_demo.create_image("sdk-image", filename=str(source), disk_format="raw",
                                 container_format="bare", wait=True, colour="red",
                                 validate_checksum=True)
    assert image.status == "active"
    assert image.checksum == harness.md5(data)
    assert image.hash_value == harness.sha512(data)
    assert image.properties["colour"] == "red"
    # Asked to hash the file, the SDK sees in the stored properties that it uploaded it before.
    again = as_demo.create_image("sdk-image", filename=str(source), disk_format="raw",
                                 container_format="bare", wait=True,
                                 validate_checksum=True)
    assert again.id == image.id

    found = as_demo.image.find_image("sdk-image", ignore_missing=False)
    assert found.id == image.id
    as_demo.image.update_image(image, name="sdk-renamed", min_disk=2)
    as_demo.image.add_tag(image, "one")
    as_demo.image.add_tag(image, "two")
    as_demo.image.remove_tag(image, "one")
    shown = as_demo.image.get_image(image.id)
    assert (shown.name, shown.min_disk, shown.tags) == ("sdk-renamed", 2, ["two"])

    member = as_demo.image.add_member(image, member_id=alt.project_id)
    assert member.status == "pending"
    as_alt.image.update_member(alt.project_id, image.id, status="accepted")
    assert [row.member_id for row in as_demo.image.members(image)] == [alt.project_id]
    assert image.id in [row.id for row in as_alt.image.images(visibility="shared")]
    target = tmp_path / "saved"
    as_alt.image.download_image(image.id, output=str(target))
    assert hashlib.sha512(target.read_bytes()).hexdigest() == harness.sha512(data)
    as_demo.image.remove_member(alt.project_id, image=image.id)
    as_demo.image.deactivate_image(image)
    as_demo.image.reactivate_image(image)
    as_demo.image.delete_image(image.id)
    assert as_demo.image.find_image("sdk-renamed") is None


def test_a_generator_is_uploaded_in_chunks(as_demo):
    image = as_demo.image.create_image(name="sdk-generated", disk_format="raw",
                                       container_format="bare",
                                       data=iter([b"abc", b"def"]), validate_checksum=False)
    assert as_demo.image.get_image(image.id).size == 6
    as_demo.image.delete_image(image.id)


def test_pages_are_followed(as_demo, demo):
    made = {demo.create_image(tags=["sdk-pages"])["id"] for _ in range(7)}
    found = [row.id for row in as_demo.image.images(tag="sdk-pages", limit=2)]
    assert len(found) == 7 and set(found) == made


def test_errors_are_readable(as_demo):
    with pytest.raises(openstack.exceptions.NotFoundException) as problem:
        as_demo.image.get_image("00000000-0000-4000-8000-000000000000")
    assert "No image found with ID" in str(problem.value)
    assert "<" not in str(problem.value).replace("<br", "")
    with pytest.raises(openstack.exceptions.BadRequestException):
        list(as_demo.image.images(sort="bogus:asc"))


def test_identity(server):
    with connect(server, "admin") as admin:
        project = admin.identity.create_project(name="sdk-project")
        user = admin.identity.create_user(name="sdk-user", password="a-long-password")
        role = admin.identity.find_role("member", ignore_missing=False)
        admin.identity.assign_project_role_to_user(project, user, role)
        assert admin.identity.find_project("sdk-project").id == project.id
        admin.identity.delete_user(user)
        admin.identity.delete_project(project)
