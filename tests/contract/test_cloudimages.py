"""GET and PATCH /v2/cloudimages beyond single requests: walks, content types, clients' habits."""

import json
import subprocess
import uuid

import pytest

import harness

KEYS = ["created_at", "name", "container_format", "disk_format", "status", "id", "size",
        "updated_at"]


@pytest.fixture(scope="module")
def crowd(server):
    """Images that share most values, so that only the tie-breakers order them."""
    demo = server.client("demo")
    return [demo.create_image(b"x" * (index % 3) if index % 2 else None, tags=["crowd=1"],
                              name=f"crowd-{index % 4}")["id"] for index in range(40)]


def walk(client, query):
    """Ids of all pages; each page tells the next one in both ways, or in none."""
    ids, path = [], f"/v2/cloudimages?{query}"
    while path:
        page = client.get(path).expect(200).json()
        ids += [image["id"] for image in page["images"]]
        marker = page["page_info"]["next_marker"]
        path = page.get("next")
        assert (path is None) == (marker is None)
        if path:
            assert marker == page["images"][-1]["id"]
            assert path.startswith("/v2/cloudimages?") and path.endswith(f"&marker={marker}")
    return ids


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", KEYS)
def test_a_walk_meets_each_image_once(demo, crowd, key, direction):
    order = f"tag=crowd%3D1&sort_key={key}&sort_dir={direction}"
    ids = walk(demo, f"{order}&limit=7")
    assert sorted(ids) == sorted(crowd)
    assert ids == walk(demo, order)


def test_the_order_is_the_newest_first(demo, crowd):
    assert walk(demo, "tag=crowd%3D1&limit=7") == crowd[::-1]
    assert walk(demo, "tag=crowd%3D1&limit=7&sort_dir=asc") == crowd


def test_one_page_holds_what_a_client_that_reads_one_needs(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    for index in range(501):
        demo.post("/v2/images", {"name": f"many-{index}"}).expect(201)
    page = demo.get("/v2/cloudimages").expect(200).json()
    assert len(page["images"]) == 500
    assert page["page_info"]["next_marker"] == page["images"][-1]["id"]
    for limit in (501, 1000, 100000):
        page = demo.get(f"/v2/cloudimages?limit={limit}").expect(200).json()
        assert len(page["images"]) == 501
        assert page["page_info"]["next_marker"] is None and "next" not in page


@pytest.mark.parametrize("media", [
    "application/json", "application/json;charset=utf-8", None,
    "application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch"])
@pytest.mark.parametrize("operation", [{"op": "replace", "path": "/name", "value": "n"},
                                       {"replace": "/name", "value": "n"}])
def test_a_patch_is_read_by_its_form_not_its_type(demo, media, operation):
    image = demo.create_image(b"x")["id"]
    answer = demo.request("PATCH", f"/v2/cloudimages/{image}", body=json.dumps([operation]),
                          headers={"Content-Type": media})
    assert answer.expect(200).json()["name"] == "n"


def test_what_changes_nothing_is_no_change(demo, server):
    image = demo.create_image(b"x", name="same")["id"]
    before = demo.show(image)
    for operations in ([], [{"op": "replace", "path": "/name", "value": "same"}]):
        demo.request("PATCH", f"/v2/cloudimages/{image}", json=operations).expect(200)
    assert demo.show(image) == before
    demo.request("PATCH", f"/v2/cloudimages/{image}",
                 json=[{"op": "add", "path": "/mine", "value": "v"}]).expect(200)
    assert demo.show(image) == {**before, "mine": "v",
                                "updated_at": demo.show(image)["updated_at"]}
    demo.delete(f"/v2/images/{image}").expect(204)


def test_a_filter_may_say_a_flag_in_capitals(demo):
    image = demo.create_image(b"x")["id"]
    change = [{"op": "add", "path": "/__support_amd", "value": "True"},
              {"op": "add", "path": "/protected", "value": "FALSE"}]
    demo.patch(f"/v2/cloudimages/{image}", change).expect(200)
    for query, count in (("__support_amd=TRUE", 1), ("__support_amd=False", 0),
                         ("__support_kvm=True", 1), ("__support_kvm=FALSE", 0),
                         ("__whole_image=FALSE", 1), ("protected=False", 1),
                         ("__protected=FALSE", 1), ("protected=True", 0)):
        found = demo.get(f"/v2/cloudimages?id={image}&{query}").expect(200).json()["images"]
        assert len(found) == count, query
    native = demo.get(f"/v2/images?id={image}&__support_amd=TRUE").expect(200).json()["images"]
    assert native == []


def test_an_id_is_one_in_capitals_too(demo):
    image = demo.create_image(b"x")["id"]
    answer = demo.request("HEAD", f"/v1/images/{image.upper()}").expect(200)
    assert answer.headers["X-Image-Meta-Id"] == image


def test_an_enterprise_project_is_one_in_capitals_too(fresh_server):
    """It was stored in the letters that came, and only those found it."""
    demo = fresh_server().client("demo")
    image, own = demo.create_image(b"x")["id"], str(uuid.uuid4())
    change = [{"op": "add", "path": "/enterprise_project_id", "value": own.upper()}]
    patched = demo.patch(f"/v2/cloudimages/{image}", change).expect(200).json()
    assert patched["enterprise_project_id"] == own
    copy = demo.post(f"/v1/cloudimages/{image}/copy",
                     {"name": "copy", "enterprise_project_id": own.upper()}).expect(200)
    made = demo.wait_job(copy.json()["job_id"])["entities"]["image_id"]
    for spelling in (own, own.upper()):
        found = demo.get(f"/v2/cloudimages?enterprise_project_id={spelling}").expect(200).json()
        assert {each["id"] for each in found["images"]} == {image, made}
        assert {each["enterprise_project_id"] for each in found["images"]} == {own}
    # The Image API keeps what it is given.
    native = demo.create_image(enterprise_project_id=own.upper())
    assert native["enterprise_project_id"] == own.upper()


def test_profile_glance_has_the_extension_too(fresh_server):
    server = fresh_server(config='[compat]\nprofile = "glance"\n')
    demo = server.client("demo")
    image = demo.create_image(b"x", max_ram="as Glance takes it")
    assert not [name for name in image if name.startswith("__")]
    listed = demo.get(f"/v2/cloudimages?id={image['id']}").expect(200).json()["images"][0]
    assert listed["__imagetype"] == "private" and listed["__support_kvm"] == "true"
    kept = demo.get(f"/v2/cloudimages?id={image['id']}&__os_type=Linux").expect(200).json()
    assert len(kept["images"]) == 1
    native = demo.get(f"/v2/images?id={image['id']}&__os_type=Linux").expect(200).json()
    assert native["images"] == []


TABLE = "platform\tos_version\tos_bit\tos_type\tuefi\n"


def test_an_operator_adds_operating_systems(fresh_server, tmp_path):
    more = tmp_path / "more.tsv"
    more.write_text(TABLE + "Alpine\tAlpine 3.20 64bit\t64\tLinux\tyes\n")
    server = fresh_server(config=f'[images]\nos_versions_file = "{more}"\n')
    demo = server.client("demo")
    listed = demo.get("/v1/cloudimages/os_version?tag=uefi").expect(200).json()
    assert listed[-1] == {"platform": "Alpine", "version_list": [
        {"platform": "Alpine", "os_version_key": "Alpine 3.20 64bit",
         "os_version": "Alpine 3.20 64bit", "os_bit": 64, "os_type": "Linux"}]}
    assert demo.create_image(__os_version="alpine  3.20 64BIT")["__platform"] == "Alpine"


def test_a_wrong_list_of_operating_systems_is_named(tmp_path):
    more, config = tmp_path / "more.tsv", tmp_path / "vitrine.toml"
    config.write_text(f'[images]\nos_versions_file = "{more}"\nos_version_policy = "open"\n')
    for text, fault in ((TABLE + "Alpine\tAlpine 3.20\t16\tLinux\tno\n", ":2: os_bit is 32 or 64"),
                        ("platform\n", ":1: the first line names no column os_version")):
        more.write_text(text)
        refused = subprocess.run([str(harness.BINARY), "check-config", str(config)], check=False,
                                 capture_output=True, text=True, timeout=60)
        assert refused.returncode == 1
        assert f"{config}:2: images.os_versions_file: {more}{fault}\n" in refused.stderr
