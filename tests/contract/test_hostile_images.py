"""Every file of tests/data/images gets the verdict of its manifest; a refused one is not kept."""

import csv
import io
import tarfile

import pytest

import harness

FOLDER = harness.ROOT / "tests/data/images"


def manifest():
    with (FOLDER / "manifest.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="session")
def images():
    """The files of the archive as bytes by name."""
    with tarfile.open(FOLDER / "images.tar.xz") as archive:
        return {member.name.removeprefix("./"): archive.extractfile(member).read()
                for member in archive if member.isfile()}


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"])
def test_verdict(row, images, demo):
    data = images[row["file"]]
    image = demo.create_image(disk_format=row["disk_format"],
                              container_format=row["container_format"])
    answer = demo.upload(image["id"], data)
    after = demo.show(image["id"])
    if row["verdict"] == "accept":
        answer.expect(204)
    elif row["verdict"] == "reject":
        answer.expect(415, 400)
    if answer.expect(204, 400, 415).status == 204:
        assert after["status"] == "active"
        assert after["size"] == len(data)
        assert after["checksum"] == harness.md5(data)
        assert after["os_hash_value"] == harness.sha512(data)
        if row["virtual_size"] not in ("", "-"):
            assert after["virtual_size"] == int(row["virtual_size"])
    else:
        assert after["status"] == "queued"
        assert (after["size"], after["checksum"], after["os_hash_value"]) == (None, None, None)
        assert demo.download(image["id"]).expect(204).body == b""
    demo.delete(f"/v2/images/{image['id']}").expect(204)


def test_a_mismatch_names_both_formats(images, demo):
    """FM-10: a qcow2 file that is declared raw (L4)."""
    image = demo.create_image(disk_format="raw")
    answer = demo.upload(image["id"], images["qcow2_clean_raw_claim.img"]).expect(415)
    assert "raw" in answer.text and "qcow2" in answer.text


def test_the_operator_may_allow_the_mismatch(fresh_server, images):
    demo = fresh_server(config="[formats]\nallow_raw_mismatch = true\n").client("demo")
    image = demo.create_image(disk_format="raw")
    demo.upload(image["id"], images["qcow2_clean_raw_claim.img"]).expect(204)
    assert demo.show(image["id"])["disk_format"] == "raw"


def archive_of(*members):
    """An archive of (name, bytes), as Python writes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1700000000.5  # a fraction needs a pax header
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("disk, says", [
    ("vmdk_stream_ok.vmdk", None),
    ("qcow2_backing_abs.qcow2", "holds a qcow2 that names a backing file"),
    ("vmdk_flat_abs.vmdk", "holds a vmdk that is a descriptor whose data lies elsewhere")])
def test_the_disk_in_an_ova_is_inspected(images, demo, disk, says):
    ova = archive_of(("vm.ovf", b"<?xml version='1.0'?><Envelope/>"), ("disk", images[disk]))
    image = demo.create_image(disk_format="vmdk", container_format="ova")
    answer = demo.upload(image["id"], ova).expect(415 if says else 204)
    assert says is None or says in answer.text
    assert demo.show(image["id"])["status"] == ("queued" if says else "active")


def test_an_ova_begins_with_its_descriptor(images, demo):
    tar = archive_of(("disk.vmdk", images["vmdk_stream_ok.vmdk"]), ("vm.ovf", b"<?xml?>"))
    image = demo.create_image(disk_format="vmdk", container_format="ova")
    assert "does not begin with an OVF descriptor" in demo.upload(image["id"], tar).expect(415).text


def test_virtual_size_is_there_with_the_data(images, demo):
    """CL-06"""
    image = demo.create_image(images["qcow2_ok_64k.qcow2"], disk_format="qcow2")
    assert image["virtual_size"] == 10737418240


def test_refused_bytes_are_not_stored(fresh_server, images):
    """One server takes every refused file; afterwards its store is as empty as before."""
    server = fresh_server()
    demo = server.client("demo")
    refused = [row for row in manifest() if row["verdict"] == "reject"]
    assert len(refused) > 30
    for row in refused:
        image = demo.create_image(disk_format=row["disk_format"],
                                  container_format=row["container_format"])
        demo.upload(image["id"], images[row["file"]]).expect(415, 400)
    harness.wait_until(lambda: server.stored_bytes() == 0, what="an empty store")
