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


def pairs(job):
    return [(one.image_id, one.project_id, one.status) for one in job.entities.results]


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


def test_images_of_the_native_api(as_demo, demo):
    made = as_demo.client.glance_create_image_metadata(ims.GlanceCreateImageMetadataRequest(
        body=ims.GlanceCreateImageMetadataRequestBody(name="native", disk_format="raw",
                                                      container_format="bare")))
    # The SDK leaves the body of this one unsigned.
    as_demo.client.glance_update_image(ims.GlanceUpdateImageRequest(image_id=made.id, body=[
        ims.GlanceUpdateImageRequestBody(op="replace", path="/name", value="renamed")]))
    assert demo.show(made.id)["name"] == "renamed"
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
