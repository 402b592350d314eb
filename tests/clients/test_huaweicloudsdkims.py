"""huaweicloudsdkims, unchanged, with an access key: it has no other way to log in."""

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkims.v2 import ImsClient
from huaweicloudsdkims.v2 import model as ims

import harness
import identity
from signing import make_key


class User:
    """One user's view through the SDK."""

    def __init__(self, server, client):
        self.key = make_key(client)
        self.client = (ImsClient.new_builder()
                       .with_credentials(BasicCredentials(self.key.access, self.key.secret,
                                                          self.key.project_id))
                       .with_endpoint(server.url).build())

    def await_job(self, answer):
        return harness.wait_until(lambda: self.ended(answer.job_id), what=answer.job_id)

    def ended(self, job_id):
        job = self.client.show_job(ims.ShowJobRequest(job_id=job_id))
        return job if job.status in ("SUCCESS", "FAIL") else None


@pytest.fixture(scope="module")
def as_demo(server, demo):
    return User(server, demo)


@pytest.fixture(scope="module")
def as_alt(server, alt):
    return User(server, alt)


DISK = b"sixteen bytes ok" * 65536
DEBIAN = "Debian GNU/Linux 12.0.0 64bit"


@pytest.fixture(scope="module")
def bucket(server, demo):
    """A bucket of the project, as a folder."""
    folder = server.directory / "buckets" / demo.project_id / "huawei"
    folder.mkdir(parents=True)
    (folder / "web.raw").write_bytes(DISK)
    return folder


def pair(key, value=None):
    return ims.TagKeyValue(key=key, value=value)


def create(user, **fields):
    body = {"name": "hw-web", "image_url": "huawei:web.raw", "min_disk": 1, "os_version": DEBIAN,
            **fields}
    return user.client.create_image(
        ims.CreateImageRequest(body=ims.CreateImageRequestBody(**body)))


def listed(user, **query):
    return user.client.list_images(ims.ListImagesRequest(**query)).images


def made(user, asked, kind):
    """The image that a job has made."""
    job = user.await_job(asked)
    assert (job.status, job.job_type, job.job_id) == ("SUCCESS", kind, asked.job_id), job
    assert job.begin_time and job.end_time and not job.error_code and not job.fail_reason
    image, = listed(user, id=job.entities.image_id)
    return image


def failed(user, asked, code):
    job = user.await_job(asked)
    assert (job.status, job.error_code) == ("FAIL", code), job
    assert job.fail_reason
    return job


def refused(call, status, code):
    with pytest.raises(ClientRequestException) as told:
        call()
    assert (told.value.status_code, told.value.error_code) == (status, code), told.value
    assert told.value.error_msg


def patched(user, image_id, *operations):
    return user.client.update_image(ims.UpdateImageRequest(image_id=image_id, body=[
        ims.UpdateImageRequestBody(*operation) for operation in operations]))


def exported(user, image_id, name, **how):
    return user.client.export_image(ims.ExportImageRequest(
        image_id=image_id, body=ims.ExportImageRequestBody(bucket_url=f"huawei:{name}", **how)))


@pytest.mark.client("huaweicloudsdkims", "create", "share", "accept", "copy", "export", "delete")
def test_the_life_of_an_image(as_demo, as_alt, demo, alt, bucket):
    image = made(as_demo, create(as_demo, description="front", min_ram=512, max_ram=4096,
                                 is_config=True, type="ECS", architecture="x86",
                                 hw_firmware_type="uefi", image_tags=[pair("hw", "web")]),
                 "imsImportImageJob")
    told = {"name": "hw-web", "status": "active", "size": len(DISK), "image_size": str(len(DISK)),
            "checksum": harness.md5(DISK), "visibility": "private", "owner": demo.project_id,
            "min_disk": 1, "min_ram": 512, "max_ram": "4096", "description": "front",
            "os_version": DEBIAN, "os_type": "Linux", "os_bit": "64", "platform": "Debian",
            "imagetype": "private", "isregistered": "true", "image_source_type": "uds",
            "disk_format": "raw", "container_format": "bare", "virtual_env_type": "FusionCompute",
            "data_origin": "file,huawei:web.raw", "root_origin": "file", "protected": False,
            "hw_firmware_type": "uefi", "tags": ["hw=web"], "enterprise_project_id": "0"}
    assert {name: getattr(image, name) for name in told} == told
    refused(lambda: patched(as_demo, image.id, ("replace", "/os_shutdown_timeout", "60")),
            400, "IMG.0035")
    answered = patched(as_demo, image.id, ("replace", "/name", "hw-renamed"),
                       ("add", "/os_shutdown_timeout", "60"), ("remove", "/max_ram"),
                       ("replace", "/min_ram", 1024))
    assert (answered.name, answered.os_shutdown_timeout, answered.max_ram, answered.min_ram) == (
        "hw-renamed", "60", None, 1024)
    stored = demo.show(image.id)
    assert (stored["name"], stored["os_shutdown_timeout"], stored["min_ram"]) == (
        "hw-renamed", "60", 1024)
    assert "max_ram" not in stored

    copied(as_demo, as_alt, image, alt)
    assert as_demo.await_job(exported(as_demo, image.id, "out/web.raw",
                                      is_quick_export=True)).status == "SUCCESS"
    assert (bucket / "out/web.raw").read_bytes() == DISK
    failed(as_demo, exported(as_demo, image.id, "out/web.raw", file_format="raw"), "IMG.0070")
    refused(lambda: exported(as_demo, image.id, "out/x", file_format="floppy"), 400, "IMG.0072")
    as_demo.client.glance_delete_image(ims.GlanceDeleteImageRequest(
        image_id=image.id, body=ims.GlanceDeleteImageRequestBody(delete_backup=True)))
    assert listed(as_demo, id=image.id) == []


def copied(as_demo, as_alt, image, alt):
    """Shared, accepted and copied by the one who received it.

    The same write twice within a second has the same signature, which is taken once: so many names.
    """
    def copy(name):
        return as_alt.client.copy_image_in_region(ims.CopyImageInRegionRequest(
            image_id=image.id, body=ims.CopyImageInRegionRequestBody(name=f"hw-{name}",
                                                                     description="mine")))
    shared = {"images": [image.id], "projects": [alt.project_id]}
    refused(lambda: copy("unseen"), 404, "IMG.0144")
    assert as_demo.await_job(as_demo.client.batch_add_members(ims.BatchAddMembersRequest(
        body=ims.BatchAddMembersRequestBody(**shared)))).status == "SUCCESS"
    refused(lambda: copy("pending"), 400, "IMG.0196")
    assert [row.imagetype for row in listed(as_alt, member_status="pending", id=image.id)] == [
        "shared"]
    as_alt.client.glance_update_image_member(ims.GlanceUpdateImageMemberRequest(
        image_id=image.id, member_id=alt.project_id,
        body=ims.GlanceUpdateImageMemberRequestBody(status="accepted")))
    other = made(as_alt, copy("copy"), "imsCopyImageInRegionJob")
    told = {"name": "hw-copy", "description": "mine", "checksum": image.checksum, "tags": [],
            "owner": alt.project_id, "originalimagename": image.id, "visibility": "private",
            "data_origin": f"image,{image.id}", "os_version": DEBIAN}
    assert {name: getattr(other, name) for name in told} == told
    as_demo.client.glance_delete_image_member(ims.GlanceDeleteImageMemberRequest(
        image_id=image.id, member_id=alt.project_id))
    assert listed(as_alt, id=image.id) == []
    assert alt.download(other.id).body == DISK
    alt.delete(f"/v2/images/{other.id}").expect(204)


def test_a_list_by_all_that_narrows_it(as_demo, demo, bucket):
    image = made(as_demo, create(as_demo, name="hw-found", image_tags=[pair("hw-found")]),
                 "imsImportImageJob")
    own = {"tag": "hw-found"}
    for query in [{"imagetype": "private", "isregistered": "true", "os_bit": "64"},
                  {"os_type": "Linux", "platform": "Debian", "support_kvm": "true"},
                  {"container_format": "bare", "disk_format": "raw", "min_disk": 1, "min_ram": 0},
                  {"enterprise_project_id": "0", "owner": demo.project_id, "protected": False},
                  {"limit": 1, "sort_key": "name", "sort_dir": "asc", "name": "hw-found"},
                  {"status": "active", "visibility": "private", "architecture": "x86"},
                  {"virtual_env_type": "FusionCompute", "created_at": "gt:2020-01-01T00:00:00Z"},
                  {"updated_at": "lt:2120-01-01T00:00:00Z", "flavor_id": "any"}]:
        assert [row.id for row in listed(as_demo, **own, **query)] == [image.id], query
    for query in [{"imagetype": "gold"}, {"os_type": "Windows"}, {"protected": True},
                  {"support_xen": "true"}, {"architecture": "arm"}, {"min_disk": 2},
                  {"created_at": "lt:2020-01-01T00:00:00Z"}, {"enterprise_project_id": "x"}]:
        assert listed(as_demo, **own, **query) == [], query
    for index in range(3):
        demo.create_image(name=f"hw-page-{index}", tags=["hw-page"])
    marker, names = None, []
    for _ in range(3):
        page = as_demo.client.list_images(ims.ListImagesRequest(
            tag="hw-page", limit=1, marker=marker, sort_key="name", sort_dir="asc"))
        names += [row.name for row in page.images]
        marker = page.page_info.next_marker
    assert (names, marker) == (["hw-page-0", "hw-page-1", "hw-page-2"], None)


def test_other_ways_in(as_demo, demo, bucket):
    data = made(as_demo, as_demo.client.create_data_image(ims.CreateDataImageRequest(
        body=ims.CreateDataImageRequestBody(
            name="hw-data", image_url="huawei:web.raw", min_disk=40, os_type="Windows",
            image_tags=[ims.ImageTag(key="hw", value="data")]))), "imsImportDataImageJob")
    assert (data.virtual_env_type, data.os_type, data.min_disk, data.tags) == (
        "DataImage", "Windows", 40, ["hw=data"])
    quick = made(as_demo, as_demo.client.import_image_quick(ims.ImportImageQuickRequest(
        body=ims.QuickImportImageByFileRequestBody(
            name="hw-quick", image_url="huawei:web.raw", min_disk=1, os_version=DEBIAN,
            type="ECS", image_tags=[ims.ResourceTag(key="hw", value="quick")]))),
                 "imsImportImageJob")
    assert (quick.name, quick.size, quick.tags) == ("hw-quick", len(DISK), ["hw=quick"])

    declared = as_demo.client.glance_create_image_metadata(ims.GlanceCreateImageMetadataRequest(
        body=ims.GlanceCreateImageMetadataRequestBody(
            name="hw-declared", disk_format="raw", container_format="bare", os_version=DEBIAN,
            min_disk=2, tags=["hw-declared"]))).id

    def register(name):
        return as_demo.client.register_image(ims.RegisterImageRequest(
            image_id=declared, body=ims.RegisterImageRequestBody(image_url=f"huawei:{name}")))
    assert failed(as_demo, register("nowhere"), "IMG.0057").entities.image_id == declared
    assert demo.show(declared)["status"] == "queued"
    assert as_demo.await_job(register("web.raw")).status == "SUCCESS"
    shown = as_demo.client.glance_show_image(ims.GlanceShowImageRequest(image_id=declared))
    assert (shown.status, shown.size, shown.os_version) == ("active", len(DISK), DEBIAN)
    failed(as_demo, create(as_demo, image_url="huawei:nowhere"), "IMG.0057")
    refused(lambda: create(as_demo, image_url="no bucket"), 400, "IMG.0017")


def test_the_safe_paths(as_demo, demo, bucket):
    """/v2.1, which takes the same bodies."""
    image = made(as_demo, as_demo.client.create_image_in_safe_mode(
        ims.CreateImageInSafeModeRequest(body=ims.CreateImageRequestBody(
            name="hw-safe", image_url="huawei:web.raw", min_disk=1, os_version=DEBIAN))),
                 "imsImportImageJob")
    made(as_demo, as_demo.client.create_data_image_in_safe_mode(
        ims.CreateDataImageInSafeModeRequest(body=ims.CreateDataImageRequestBody(
            name="hw-safe", image_url="huawei:web.raw", min_disk=40))), "imsImportDataImageJob")
    made(as_demo, as_demo.client.import_image_quick_in_safe_mode(
        ims.ImportImageQuickInSafeModeRequest(body=ims.QuickImportImageByFileRequestBody(
            name="hw-safe", image_url="huawei:web.raw", min_disk=1, os_version=DEBIAN))),
         "imsImportImageJob")
    made(as_demo, as_demo.client.copy_image_in_region_in_safe_mode(
        ims.CopyImageInRegionInSafeModeRequest(
            image_id=image.id, body=ims.CopyImageInRegionRequestBody(name="hw-safe"))),
         "imsCopyImageInRegionJob")
    assert as_demo.await_job(as_demo.client.export_image_in_safe_mode(
        ims.ExportImageInSafeModeRequest(image_id=image.id, body=ims.ExportImageRequestBody(
            bucket_url="huawei:safe/web.raw", file_format="raw")))).status == "SUCCESS"
    assert (bucket / "safe/web.raw").read_bytes() == DISK


def test_what_no_backend_here_makes(as_demo, demo):
    there = demo.create_image(b"x")["id"]
    refused(lambda: create(as_demo, image_url=None, instance_id=there), 400, "IMG.0105")
    refused(lambda: create(as_demo, image_url=None, volume_id=there), 400, "IMG.0105")
    refused(lambda: as_demo.client.create_image(ims.CreateImageRequest(
        body=ims.CreateImageRequestBody(data_images=[
            ims.CreateDataImage(name="hw-volume", volume_id=there)]))), 400, "IMG.0105")
    refused(lambda: as_demo.client.copy_image_cross_region(ims.CopyImageCrossRegionRequest(
        image_id=there, body=ims.CopyImageCrossRegionRequestBody(
            name="hw", region="elsewhere", project_name="p", agency_name="a"))), 400, "IMG.0105")
    refused(lambda: as_demo.client.create_whole_image(ims.CreateWholeImageRequest(
        body=ims.CreateWholeImageRequestBody(name="hw-whole", instance_id=there))),
            400, "IMG.0180")
    refused(lambda: as_demo.client.show_job(ims.ShowJobRequest(job_id="0" * 32)),
            404, "IMG.0023")


def test_operating_systems_versions_and_schemas(as_demo):
    systems = as_demo.client.list_os_versions(ims.ListOsVersionsRequest(tag="arm")).body
    versions = [version for system in systems if system.platform == "Debian"
                for version in system.version_list]
    assert DEBIAN in [version.os_version for version in versions]
    assert {(version.platform, version.os_type) for version in versions} == {("Debian", "Linux")}
    versions = as_demo.client.list_versions(ims.ListVersionsRequest()).versions
    assert versions[0].id.startswith("v2.") and versions[0].status == "CURRENT"
    assert as_demo.client.show_version(ims.ShowVersionRequest(version="v2")).versions == versions
    assert as_demo.client.glance_list_image_schemas(
        ims.GlanceListImageSchemasRequest()).name == "images"
    assert as_demo.client.glance_show_image_schemas(
        ims.GlanceShowImageSchemasRequest()).name == "image"
    assert as_demo.client.glance_list_image_member_schemas(
        ims.GlanceListImageMemberSchemasRequest()).name == "members"
    assert as_demo.client.glance_show_image_member_schemas(
        ims.GlanceShowImageMemberSchemasRequest()).name == "member"


def tags(user, image_id):
    rows = user.client.list_image_tags(ims.ListImageTagsRequest(image_id=image_id)).tags
    return {row.key: row.value for row in rows}


@pytest.mark.client("huaweicloudsdkims", "tag")
def test_tags_of_images(as_demo, demo):
    sdk, image_id = as_demo.client, demo.create_image(name="hw-tagged")["id"]
    sdk.add_image_tag(ims.AddImageTagRequest(image_id=image_id, body=ims.AddImageTagRequestBody(
        tag=ims.ResourceTag(key="hw env/b", value="ü/+ &"))))
    sdk.batch_add_or_delete_tags(ims.BatchAddOrDeleteTagsRequest(
        image_id=image_id, body=ims.BatchAddOrDeleteTagsRequestBody(
            action="create", tags=[ims.ResourceTag("hw-a", "1"), ims.ResourceTag("hw-b", "")])))
    sdk.create_or_update_tags(ims.CreateOrUpdateTagsRequest(
        body=ims.AddOrUpdateTagsRequestBody(image_id=image_id, tag="hw-c.3")))
    sdk.create_or_update_tags(ims.CreateOrUpdateTagsRequest(body=ims.AddOrUpdateTagsRequestBody(
        image_id=image_id, image_tag=ims.ResourceTag("hw-a", "2"))))
    sdk.glance_create_tag(ims.GlanceCreateTagRequest(image_id=image_id, tag="hw-native"))
    assert tags(as_demo, image_id) == {"hw env/b": "ü/+ &", "hw-a": "2", "hw-b": "", "hw-c": "3",
                                       "hw-native": ""}
    assert sdk.list_tags(ims.ListTagsRequest(id=image_id)).tags == [
        "hw env/b=ü/+ &", "hw-a=2", "hw-b", "hw-c=3", "hw-native"]
    assert sdk.list_tags(ims.ListTagsRequest(id=image_id, limit=2, page=3)).tags == ["hw-native"]
    project = {row.key: row._values for row in
               sdk.list_images_tags(ims.ListImagesTagsRequest()).tags}
    assert (project["hw-a"], project["hw-b"]) == (["2"], [""])

    def by_tags(**query):
        return sdk.list_image_by_tags(ims.ListImageByTagsRequest(
            body=ims.ListImageByTagsRequestBody(**query)))
    found = by_tags(action="filter", limit="1", offset="0",
                    tags=[ims.Tags(key="hw-a", values=["2", "3"])])
    assert found.total_count == 1
    row, = found.resources
    assert (row.resource_id, row.resource_name, row.resource_detail.status) == (
        image_id, "hw-tagged", "queued")
    assert {tag.key: tag.value for tag in row.tags} == tags(as_demo, image_id)
    assert by_tags(action="count", not_tags_any=[ims.Tags(key="hw-a", values=["2"])],
                   matches=[pair("resource_id", image_id)]).total_count == 0

    sdk.glance_delete_tag(ims.GlanceDeleteTagRequest(image_id=image_id, tag="hw-native"))
    sdk.delete_image_tag(ims.DeleteImageTagRequest(image_id=image_id, key="hw env/b"))
    refused(lambda: sdk.delete_image_tag(ims.DeleteImageTagRequest(
        image_id=image_id, key="hw-none")), 404, "IMG.0115")
    sdk.batch_delete_tags(ims.BatchDeleteTagsRequest(
        image_id=image_id, body=ims.BatchDeleteTagsRequestBody(tags=[ims.ResourceTag("hw-b")])))
    sdk.batch_add_or_delete_tags(ims.BatchAddOrDeleteTagsRequest(
        image_id=image_id, body=ims.BatchAddOrDeleteTagsRequestBody(
            action="delete", tags=[ims.ResourceTag("hw-c", "other"), ims.ResourceTag("gone")])))
    assert demo.show(image_id)["tags"] == ["hw-a=2"]


def pairs(job):
    return [(one.image_id, one.project_id, one.status) for one in job.entities.results]


@pytest.mark.client("huaweicloudsdkims", "share", "accept")
def test_sharing_in_bulk(as_demo, as_alt, demo, alt):
    images = [demo.create_image(b"bytes", name=f"sdk-{i}")["id"] for i in range(2)]
    added = as_demo.client.batch_add_members(ims.BatchAddMembersRequest(
        body=ims.BatchAddMembersRequestBody(images=images, projects=[alt.project_id])))
    job = as_demo.await_job(added)
    assert (job.status, job.job_type) == ("SUCCESS", "imsAddImageMembersJob"), job
    progress = as_demo.client.show_job_progress(ims.ShowJobProgressRequest(job_id=added.job_id))
    assert progress.status == "SUCCESS"

    answered = as_alt.client.batch_update_members(ims.BatchUpdateMembersRequest(
        body=ims.BatchUpdateMembersRequestBody(images=images, project_id=alt.project_id,
                                               status="accepted")))
    assert as_alt.await_job(answered).status == "SUCCESS"
    members = as_demo.client.list_image_members(
        ims.ListImageMembersRequest(image_id=images[0])).members
    assert [(one.member_id, one.status) for one in members] == [(alt.project_id, "accepted")]
    member = as_demo.client.show_image_member(
        ims.ShowImageMemberRequest(image_id=images[1], member_id=alt.project_id))
    assert (member.member_id, member.status) == (alt.project_id, "accepted")
    native = as_demo.client.glance_list_image_members(
        ims.GlanceListImageMembersRequest(image_id=images[0])).members
    assert [one.member_id for one in native] == [alt.project_id]

    removed = as_demo.client.batch_delete_members(ims.BatchDeleteMembersRequest(
        body=ims.BatchAddMembersRequestBody(images=images, projects=[alt.project_id])))
    assert as_demo.await_job(removed).status == "SUCCESS"
    assert demo.members(images[0]) == {}


def test_the_quota(as_demo):
    quotas = as_demo.client.show_image_quota(ims.ShowImageQuotaRequest()).quotas
    assert "image" in [row.type for row in quotas.resources]


def test_images_of_the_native_api(as_demo, as_alt, demo, alt):
    made = as_demo.client.glance_create_image_metadata(ims.GlanceCreateImageMetadataRequest(
        body=ims.GlanceCreateImageMetadataRequestBody(name="native", disk_format="raw",
                                                      container_format="bare")))
    # The SDK leaves the body of this one unsigned.
    as_demo.client.glance_update_image(ims.GlanceUpdateImageRequest(image_id=made.id, body=[
        ims.GlanceUpdateImageRequestBody(op="replace", path="/name", value="renamed")]))
    assert demo.show(made.id)["name"] == "renamed"
    listed_names = {row.id: row.name for row in as_demo.client.glance_list_images(
        ims.GlanceListImagesRequest(name="renamed", visibility="private")).images}
    assert listed_names == {made.id: "renamed"}
    as_demo.client.glance_add_image_member(ims.GlanceAddImageMemberRequest(
        image_id=made.id, body=ims.GlanceAddImageMemberRequestBody(member=alt.project_id)))
    member = as_alt.client.glance_show_image_member(ims.GlanceShowImageMemberRequest(
        image_id=made.id, member_id=alt.project_id))
    assert (member.member_id, member.status) == (alt.project_id, "pending")
    as_demo.client.glance_delete_image(ims.GlanceDeleteImageRequest(
        image_id=made.id, body=ims.GlanceDeleteImageRequestBody()))
    assert demo.get(f"/v2/images/{made.id}").status == 404


def test_a_wrong_secret_is_told_as_one(server, as_demo):
    client = (ImsClient.new_builder()
              .with_credentials(BasicCredentials(as_demo.key.access, "wrong",
                                                 as_demo.key.project_id))
              .with_endpoint(server.url).build())
    with pytest.raises(ClientRequestException) as refused:
        client.show_image_quota(ims.ShowImageQuotaRequest())
    assert (refused.value.status_code, refused.value.error_code) == (401, "IMG.0087")


@identity.builtin_only
def test_the_project_is_found_by_its_region(server, as_demo, demo):
    credentials = BasicCredentials(as_demo.key.access, as_demo.key.secret)
    credentials = credentials.with_iam_endpoint(server.url)
    client = (ImsClient.new_builder().with_credentials(credentials)
              .with_region(Region("RegionOne", server.url)).build())
    assert client.show_image_quota(ims.ShowImageQuotaRequest()).quotas.resources
    assert credentials.project_id == demo.project_id
