"""A POST that hands on what a document shows, as Nova and Cinder do for snapshots (0022)."""

import pytest

# Fields that Nova and Cinder name themselves or leave out; all others become properties.
FIELDS = {"id", "name", "status", "visibility", "protected", "os_hidden", "owner", "disk_format",
          "container_format", "min_disk", "min_ram", "size", "virtual_size", "checksum", "tags",
          "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self", "file", "schema"}
COMPUTED = {"__imagetype": "private", "__image_source_type": "uds", "__image_size": "0",
            "__isregistered": "true", "__os_type": "Linux", "__os_bit": "64",
            "__platform": "Other", "__root_origin": "file", "virtual_env_type": "FusionCompute"}


def handed_on(document):
    return {name: value for name, value in document.items() if name not in FIELDS}


@pytest.fixture
def gold(server):
    """A public image with an attribute that an operator set, and one of its owner's."""
    admin = server.client("admin")
    image = admin.create_image(b"x", visibility="public", __account_code="billed", hw_disk="scsi",
                               __os_version="Ubuntu 22.04 server 64bit")
    yield image
    admin.delete(f"/v2/images/{image['id']}").expect(204)


def test_a_snapshot_inherits_what_its_caller_may_set(server, gold):
    demo = server.client("demo")
    body = {"name": "snapshot", "visibility": "private", "base_image_ref": gold["id"],
            **handed_on(demo.show(gold["id"]))}
    assert body["__imagetype"] == "gold"
    assert body["__account_code"] == "billed"
    made = demo.post("/v2/images", body).expect(201).json()
    assert handed_on(made) == {**COMPUTED, "hw_disk": "scsi", "base_image_ref": gold["id"],
                               "__os_version": "Ubuntu 22.04 server 64bit", "__platform": "Ubuntu"}
    assert demo.show(made["id"]) == made


def test_what_a_client_of_an_older_schema_hands_on_is_a_copy_too(server, gold):
    """Nova and Cinder leave out what the schema called a base property when a server was booted."""
    demo = server.client("demo")
    body = {name: value for name, value in handed_on(demo.show(gold["id"])).items()
            if name != "virtual_env_type"}
    made = demo.post("/v2/images", body).expect(201).json()
    assert handed_on(made) == {**COMPUTED, "hw_disk": "scsi",
                               "__os_version": "Ubuntu 22.04 server 64bit", "__platform": "Ubuntu"}


def test_nothing_is_dropped_of_a_body_that_is_no_copy(server, gold):
    demo = server.client("demo")
    whole = handed_on(demo.show(gold["id"]))
    before = len(demo.listed())
    for missing in ("__imagetype", "__image_source_type", "__image_size"):
        part = {name: value for name, value in whole.items() if name != missing}
        assert demo.post("/v2/images", part).expect(403).text
    for name in ("location", "deleted", "os_glance_x"):
        assert demo.post("/v2/images", {**whole, name: "x"}).expect(403).text
    assert len(demo.listed()) == before


def test_a_patch_with_a_whole_document_is_refused(server, gold):
    demo = server.client("demo")
    image = demo.create_image()
    operations = [{"op": "add", "path": f"/{name}", "value": value}
                  for name, value in handed_on(demo.show(gold["id"])).items()]
    demo.patch(f"/v2/images/{image['id']}", operations).expect(403)
    assert demo.show(image["id"]) == image


def test_what_documents_compute_is_in_the_schema(demo, gold):
    properties = demo.get("/v2/schemas/image").expect(200).json()["properties"]
    own = {name: properties[name] for name in handed_on(gold) if name != "hw_disk"}
    assert own.pop("__os_version") == {"type": "string", "is_base": False}
    assert set(own) == {*COMPUTED, "__account_code"}
    assert all(each == {"type": "string", "readOnly": True} for each in own.values())


def test_a_purge_of_all_properties_takes_those_that_are_stored(demo):
    image = demo.create_image(hw_disk="scsi")
    changed = demo.patch(f"/v2/images/{image['id']}", [
        {"op": "replace", "path": "/name", "value": "purged"},
        *({"op": "remove", "path": f"/{name}"} for name in handed_on(image))]).expect(200).json()
    assert changed["name"] == "purged"
    assert handed_on(changed) == {**COMPUTED, "__os_version": "Other Linux(64 bit)"}
    demo.patch(f"/v2/images/{image['id']}",
               [{"op": "remove", "path": "/__account_code"}]).expect(403)
