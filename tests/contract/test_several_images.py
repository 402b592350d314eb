"""Several images by one request: files of their own, or the disks of an OVA (contract: ims-api
6.3.2, job-types.tsv)."""

import io
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest

import harness
import s3
import store
from test_imports import CONFIG, GIB, failed, imported, names, put, put_zeros, qcow2

PATH = "/v2/cloudimages/action"
MIB = 1 << 20


@pytest.fixture(scope="module", name="server")
def server_with_buckets(tmp_path_factory):
    started = harness.Server(tmp_path_factory.mktemp("several") / "data", config=CONFIG).start()
    yield started
    started.finish()


def machine(url, *disks, **body):
    return {"name": "web", "image_url": url, "min_disk": 1, "data_images": list(disks), **body}


def disk(url, **fields):
    return {"image_url": url, "min_disk": 2, **fields}


def untouched(client):
    """Call it afterwards: nothing that it sees has changed since."""
    server = client.server
    before, stored = names(client), server.stored_bytes()

    def check():
        assert names(client) == before
        harness.wait_until(lambda: server.stored_bytes() == stored, what="no bytes left")
    return check


def test_each_file_becomes_an_image_with_a_sub_job(server):
    demo, alt = server.client("demo"), server.client("alt")
    project = demo.project_id
    files = {name: os.urandom(1000) for name in ("sys", "d1", "d2", "d3")}
    urls = {name: put(server, project, name, data) for name, data in files.items()}
    job = imported(demo, PATH, machine(
        urls["sys"], disk(urls["d1"]),
        disk(urls["d2"], name="logs", description="of all", tags=["tier.db"], min_disk="3"),
        disk(urls["d3"], is_quick_import=True, image_tags=[{"key": "a", "value": "b"}],
             volume_id="ignored"),
        os_type="Windows", tags=["only.system"], enterprise_project_id="0"))
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportOvaImageJob"), job
    entities = job["entities"]
    subs = entities["sub_jobs_result"]
    assert entities["sub_jobs_list"] == [sub["job_id"] for sub in subs]
    assert [sub["job_type"] for sub in subs] \
        == ["imsImportImageJob"] + 3 * ["imsImportDataImageJob"]
    assert [sub["entities"]["image_name"] for sub in subs] \
        == ["web", "web-data1", "logs", "web-data3"]
    assert all(set(sub["entities"]) == {"image_id", "image_name"} for sub in subs)
    assert {key: entities[key] for key in ("image_id", "image_name")} == subs[0]["entities"]
    assert {sub["status"] for sub in subs} == {"SUCCESS"}
    for sub in subs:
        assert sub["begin_time"] and sub["end_time"] and sub["error_code"] is None
        assert demo.job(sub["job_id"]) == sub
        unseen = alt.get(f"/v1/{alt.project_id}/jobs/{sub['job_id']}")
        assert (unseen.status, unseen.code()) == (404, "IMG.0023")
    images = [demo.show(sub["entities"]["image_id"]) for sub in subs]
    for image, (name, data) in zip(images, files.items()):
        assert demo.download(image["id"]).body == data
        assert (image["status"], image["__data_origin"]) == ("active", f"file,{urls[name]}")
    assert [image["virtual_env_type"] for image in images] == ["FusionCompute"] + 3 * ["DataImage"]
    assert [image["min_disk"] for image in images] == [1, 2, 3, 2]
    assert [image["tags"] for image in images] == [["only=system"], [], ["tier=db"], ["a=b"]]
    assert [image.get("__description") for image in images] == [None, None, "of all", None]
    assert {image["__os_type"] for image in images} == {"Windows"}
    assert images[1]["__os_version"] == "Other Windows(64 bit)"


def test_the_other_path_takes_them_as_well(server):
    demo = server.client("demo")
    urls = [put(server, demo.project_id, name, name.encode()) for name in ("s", "d")]
    job = imported(demo, "/v1/cloudimages/action", machine(urls[0], disk(urls[1])))
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportOvaImageJob")
    assert len(job["entities"]["sub_jobs_list"]) == 2


@pytest.mark.parametrize("none", [[], None])
def test_without_data_disks_it_is_one_image(server, none):
    demo = server.client("demo")
    url = put(server, demo.project_id, "alone", b"x")
    job = imported(demo, PATH, {"name": "one", "image_url": url, "min_disk": 1,
                                "data_images": none})
    assert (job["job_type"], set(job["entities"])) \
        == ("imsImportImageJob", {"image_id", "image_name"})


REFUSED = [
    ([disk(f"files:{n}") for n in range(4)], "IMG.0194", "at most 3"),
    ([disk("files:sys")], "IMG.0123", "data_images[0].image_url"),
    ([disk("files:a"), disk("files:a")], "IMG.0123", "data_images[1].image_url"),
    ([disk("files:a"), disk("nocolon")], "IMG.0017", "data_images[1].image_url"),
    ([{"min_disk": 1}], "IMG.0017", "data_images[0].image_url"),
    ([{"image_url": "files:a"}], "IMG.0055", "data_images[0].min_disk"),
    ([disk("files:a", min_disk=2049)], "IMG.0055", "data_images[0].min_disk"),
    ([disk("files:a", name="a/b")], "IMG.0003", "data_images[0].name"),
    ([disk("files:a", name="n" * 129)], "IMG.0002", "data_images[0].name"),
    ([disk("files:a", description="<")], "IMG.0054", "data_images[0].description"),
    ([disk("files:a", tags=["a.b"], image_tags=[{"key": "c", "value": "d"}])], "IMG.0115", ""),
    ([disk("files:a", image_tags=7)], "IMG.0001", "data_images[0].image_tags"),
    ("disks", "IMG.0001", "data_images"), ({"a": 1}, "IMG.0001", "data_images"),
    (["disk"], "IMG.0001", "data_images[0]")]


@pytest.mark.parametrize("disks,code,word", REFUSED)
def test_what_is_wrong_with_one_is_told_with_its_place(server, disks, code, word):
    demo = server.client("demo")
    before = names(demo)
    answer = demo.post(PATH, {**machine("files:sys"), "data_images": disks})
    assert (answer.status, answer.code()) == (400, code), answer
    assert word in answer.json()["error"]["message"]
    assert names(demo) == before


def test_a_long_name_leaves_room_for_the_number(server):
    demo = server.client("demo")
    urls = [put(server, demo.project_id, name, name.encode()) for name in ("s", "d")]
    job = imported(demo, PATH, machine(urls[0], disk(urls[1]), name="\u00e4" * 128))
    subs = job["entities"]["sub_jobs_result"]
    assert [sub["entities"]["image_name"] for sub in subs] \
        == ["\u00e4" * 128, "\u00e4" * 122 + "-data1"]


def test_when_one_fails_none_is_left(server):
    demo = server.client("demo")
    good = put(server, demo.project_id, "good", os.urandom(3 * MIB))
    small = put(server, demo.project_id, "small", qcow2(3 * GIB))
    last = put(server, demo.project_id, "last", b"x")
    check = untouched(demo)
    job = imported(demo, PATH, machine(good, disk(small, name="part"), disk(last), name="gone"))
    assert failed(job, "IMG.0055", "image part", "min_disk 2 GiB")
    entities = job["entities"]
    assert set(entities) == {"sub_jobs_list", "sub_jobs_result"}
    subs = entities["sub_jobs_result"]
    assert [(sub["status"], sub["error_code"], sub["entities"]) for sub in subs] \
        == 3 * [("FAIL", "IMG.0055", {})]
    assert "image part" not in subs[1]["fail_reason"]
    assert all("image part" in subs[n]["fail_reason"] for n in (0, 2))
    assert entities["sub_jobs_list"] == [sub["job_id"] for sub in subs]
    check()
    events = harness.wait_until(lambda: of_job(server, job["job_id"], 5), what="the events")
    # The submission, the first image and its end, the second, and the third that never began.
    assert sorted((event["event_type"], event["outcome"]) for event in events) == [
        ("image.create", "failure"), ("image.create", "failure"), ("image.create", "pending"),
        ("image.create", "success"), ("image.delete", "success")]


def of_job(server, job_id, count):
    events = [event for event in server.events() if event.get("job_id") == job_id]
    return events if len(events) >= count else []


def test_quota_is_asked_for_all_at_once(fresh_server):
    server = fresh_server(config=CONFIG.replace("image = 1000", "image = 2"))
    demo = server.client("demo")
    urls = [put(server, demo.project_id, name, name.encode()) for name in ("s", "d", "e")]
    answer = demo.post(PATH, machine(urls[0], disk(urls[1]), disk(urls[2])))
    assert (answer.status, answer.code()) == (400, "IMG.0015")
    assert imported(demo, PATH, machine(urls[0], disk(urls[1])))["status"] == "SUCCESS"
    assert len(demo.listed()) == 2


def test_deleting_one_of_them_fails_the_job(fresh_server):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    first = put(server, demo.project_id, "first", b"x")
    large = put_zeros(server, demo.project_id, "large", 100 * GIB)  # minutes to read
    job_id = demo.post(PATH, machine(first, disk(large, min_disk=100))) \
        .expect(200).json()["job_id"]
    harness.wait_until(lambda: len(demo.listed()) == 2, what="the second is under way")
    job = demo.job(job_id)
    assert job["status"] == "RUNNING", job
    subs = job["entities"]["sub_jobs_result"]
    assert [sub["status"] for sub in subs] == ["RUNNING", "RUNNING"]
    image = subs[0]["entities"]["image_id"]
    assert job["entities"]["image_id"] == image
    assert demo.show(image)["status"] == "active"
    demo.delete(f"/v2/images/{image}").expect(204)
    now = demo.job(job_id)["entities"]
    assert "image_id" not in now and "image_id" not in now["sub_jobs_result"][0]["entities"]
    job = demo.wait_job(job_id)
    assert failed(job, "IMG.0144", "image web: it was deleted")
    subs = job["entities"]["sub_jobs_result"]
    assert all(failed(sub, "IMG.0144") and sub["entities"] == {} for sub in subs)
    assert ["image web" in sub["fail_reason"] for sub in subs] == [False, True]
    assert demo.listed() == []
    harness.wait_until(lambda: server.stored_bytes() == 0, what="no bytes left")


# --- OVA --------------------------------------------------------------------------------------

def ovf(files, more_files="", more_disks="", system=""):
    """A descriptor of disks in this order; `files` is (name, attributes)."""
    listed = "".join(f'<File ovf:id="file{n}" ovf:href="{name}" {attributes}/>'
                     for n, (name, attributes) in enumerate(files))
    disks = "".join(f'<Disk ovf:diskId="disk{n}" ovf:fileRef="file{n}" ovf:capacity="1"/>'
                    for n in range(len(files)))
    return (f'<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" '
            f'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><References>{listed}{more_files}'
            f'</References><DiskSection><Info/>{disks}{more_disks}</DiskSection>'
            f'<VirtualSystem ovf:id="vm">{system}</VirtualSystem></Envelope>').encode()


def tar(*members, form=tarfile.USTAR_FORMAT):
    """An archive of (name, bytes), or of ready headers with None."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data or b"")
            archive.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def ova(*disks, **options):
    """An archive of (name, bytes) with a descriptor that fits."""
    return tar(("vm.ovf", ovf([(name, f'ovf:size="{len(data)}"') for name, data in disks])),
               *disks, **options)


@pytest.fixture(scope="module", name="vmdks")
def real_vmdks(tmp_path_factory):
    """Two disks as they stand in an OVA, and what is on them."""
    folder, out = tmp_path_factory.mktemp("vmdk"), []
    for name, size in (("system", 8 * MIB), ("data", 3 * GIB)):
        raw, vmdk = folder / f"{name}.raw", folder / f"{name}.vmdk"
        with raw.open("wb") as disk_file:
            disk_file.truncate(size)
            disk_file.write(os.urandom(MIB))
        done = subprocess.run(
            ["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized",
             raw, vmdk], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        out.append(vmdk.read_bytes())
    return out


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_each_disk_of_an_ova_becomes_an_image(server, vmdks, form):
    demo = server.client("demo")
    system, data = vmdks
    archive = ova(("vm-disk1.vmdk", system), ("vm-disk2.vmdk", data), form=form)
    url = put(server, demo.project_id, f"machine{form}.OVA", archive)
    job = imported(demo, PATH, {
        "name": "vm", "image_url": url, "min_disk": 1, "os_type": "Windows", "min_ram": 512,
        "description": "front", "tags": ["team.base"]})
    assert (job["status"], job["job_type"]) == ("SUCCESS", "imsImportOvaImageJob"), job
    subs = job["entities"]["sub_jobs_result"]
    assert [sub["job_type"] for sub in subs] == ["imsImportImageJob", "imsImportDataImageJob"]
    assert [sub["entities"]["image_name"] for sub in subs] == ["vm", "vm-data1"]
    assert {key: job["entities"][key] for key in ("image_id", "image_name")} == subs[0]["entities"]
    first, second = [demo.show(sub["entities"]["image_id"]) for sub in subs]
    common = {"status": "active", "disk_format": "vmdk", "container_format": "bare",
              "__data_origin": f"file,{url}", "__root_origin": "file", "tags": ["team=base"],
              "__os_type": "Windows"}
    for image, expected in ((first, {
            "virtual_env_type": "FusionCompute", "min_disk": 1, "min_ram": 512,
            "__description": "front", "virtual_size": 8 * MIB, "size": len(system),
            "checksum": harness.md5(system), "os_hash_value": harness.sha512(system)}), (second, {
            "virtual_env_type": "DataImage", "min_disk": 3, "min_ram": 0, "virtual_size": 3 * GIB,
            "size": len(data), "checksum": harness.md5(data),
            "os_hash_value": harness.sha512(data)})):
        expected = {**common, **expected}
        assert {key: image.get(key) for key in expected} == expected
    assert "__description" not in second
    assert demo.download(second["id"]).body == data


def test_the_drives_tell_which_disk_is_that_of_the_system(server):
    demo = server.client("demo")
    drives = "".join(f"<Item><HostResource>ovf:/disk/disk{n}</HostResource></Item>" for n in (1, 0))
    descriptor = ovf([("a", ""), ("b", "")], more_disks='<Disk ovf:diskId="empty"/>', system=drives)
    url = put(server, demo.project_id, "order.ova",
              tar(("vm.ovf", descriptor), ("a", b"data"), ("vm.mf", b"SHA1(a)= 0\n"),
                  ("b", b"sys")))
    job = imported(demo, PATH, {"name": "o", "image_url": url, "min_disk": 1})
    subs = job["entities"]["sub_jobs_result"]
    assert [demo.download(sub["entities"]["image_id"]).body for sub in subs] == [b"sys", b"data"]


def link(kind, target):
    info = tarfile.TarInfo("disk.vmdk")
    info.type, info.linkname = kind, target
    return info


def hostile():
    """name: archive, code, words of the reason."""
    one = [("disk.vmdk", "")]
    flat = b'# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/passwd" 0\n'
    backed = bytearray(qcow2(GIB))
    backed[8:20] = (0x20000).to_bytes(8, "big") + (11).to_bytes(4, "big")
    backed[0x20000:0x20000 + 11] = b"/etc/passwd"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + ovf(one)
    pax = tarfile.TarInfo("disk.vmdk")
    pax.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 50)}
    large = tarfile.TarInfo("disk.vmdk")
    large.pax_headers = {"size": str(1 << 60)}
    honest = ova(("disk.vmdk", b"x" * 5000))
    return {
        "no-tar": (b"text" * 1000, "IMG.0057", "no OVA"),
        "empty-tar": (tar(), "IMG.0057", "no tar archive"),
        "no-ovf": (tar(("disk.vmdk", b"x")), "IMG.0057", "must be an OVF descriptor"),
        "late-ovf": (tar(("disk.vmdk", b"x"), ("vm.ovf", ovf(one))), "IMG.0057", "must be an OVF"),
        "two-ovf": (tar(("vm.ovf", ovf(one)), ("b.ovf", ovf(one)), ("disk.vmdk", b"x")), "IMG.0057",
                    "two descriptors"),
        "bomb": (tar(("vm.ovf", bomb), ("disk.vmdk", b"x")), "IMG.0057", "document type"),
        "no-xml": (tar(("vm.ovf", b"\xff\xfe"), ("disk.vmdk", b"x")), "IMG.0057", "well-formed"),
        "missing": (tar(("vm.ovf", ovf(one))), "IMG.0057", "not in it: disk.vmdk"),
        "no-disk": (tar(("vm.ovf", ovf([]))), "IMG.0057", "has no disk"),
        "twice": (tar(("vm.ovf", ovf(one)), ("disk.vmdk", b"x"), ("./disk.vmdk", b"y")), "IMG.0057",
                  "two members of one name"),
        "climbs": (tar(("vm.ovf", ovf([("../disk", "")])), ("../disk", b"x")), "IMG.0057",
                   "leads out of the archive"),
        "elsewhere": (tar(("vm.ovf", ovf([("file:///etc/passwd", "")]))), "IMG.0057",
                      "not in it: file:///etc/passwd"),
        "symlink": (tar(("vm.ovf", ovf(one)), (link(tarfile.SYMTYPE, "/etc/passwd"), None)),
                    "IMG.0057", "no file, as a link"),
        "hardlink": (tar(("vm.ovf", ovf(one)), (link(tarfile.LNKTYPE, "vm.ovf"), None)),
                     "IMG.0057", "no file, as a link"),
        "sparse": (tar(("vm.ovf", ovf(one)), (pax, b"x"), form=tarfile.PAX_FORMAT), "IMG.0057",
                   "sparse member"),
        "huge": (tar(("vm.ovf", ovf(one)), (large, b"x"), form=tarfile.PAX_FORMAT), "IMG.0057", ""),
        "wrong-size": (tar(("vm.ovf", ovf([("disk.vmdk", 'ovf:size="7"')])), ("disk.vmdk", b"x")),
                       "IMG.0057", "another size"),
        "truncated": (honest[:4096], "IMG.0057", "is cut"),
        "packed": (ova(("disk.vmdk", b"\x1f\x8b\x08" + bytes(100))), "IMG.0057", "gzip"),
        "foreign-extent": (ova(("disk.vmdk", flat)), "IMG.0057", "image bad: ",
                           "data lies elsewhere"),
        "backing-file": (ova(("a", b"fine"), ("b", bytes(backed))), "IMG.0057", "image bad-data1: ",
                         "names a backing file"),
        "too-large-system": (ova(("a", qcow2(2 * GIB))), "IMG.0055", "min_disk 1 GiB"),
        "too-large-data": (ova(("a", b"fine"), ("b", qcow2(2049 * GIB))), "IMG.0055", "2048 GiB"),
        "five": (ova(*[(f"d{n}", b"x") for n in range(5)]), "IMG.0194", "5 disks, at most 4"),
        "chunks": (tar(("vm.ovf", ovf([("disk.vmdk", 'ovf:chunkSize="5"')])), ("disk.vmdk", b"x")),
                   "IMG.0057", "in pieces"),
    }


@pytest.mark.parametrize("name", hostile())
def test_an_ova_that_cannot_be_trusted_leaves_nothing(server, name):
    demo = server.client("demo")
    archive, code, *words = hostile()[name]
    url = put(server, demo.project_id, f"{name}.ova", archive)
    check = untouched(demo)
    job = imported(demo, PATH, {"name": "bad", "image_url": url, "min_disk": 1})
    assert job["job_type"] == "imsImportOvaImageJob"
    assert failed(job, code, *words)
    assert set(job["entities"]) == {"sub_jobs_list", "sub_jobs_result"}
    assert all(sub["status"] == "FAIL" and sub["entities"] == {}
               for sub in job["entities"]["sub_jobs_result"])
    check()


def test_an_ova_that_is_missing(server):
    demo = server.client("demo")
    check = untouched(demo)
    assert failed(imported(demo, PATH, {"name": "bad", "image_url": "files:none.ova",
                                        "min_disk": 1}), "IMG.0057")
    check()


def test_an_ova_brings_its_own_data_disks(server):
    demo = server.client("demo")
    answer = demo.post(PATH, machine("files:x.ova", disk("files:d")))
    assert (answer.status, answer.code()) == (400, "IMG.0001")
    assert "data_images" in answer.json()["error"]["message"]


def test_quota_of_an_ova_is_asked_before_a_byte_is_stored(fresh_server):
    server = fresh_server(config=CONFIG.replace("image = 1000", "image = 2"))
    demo = server.client("demo")
    url = put(server, demo.project_id, "three.ova", ova(("a", b"a"), ("b", b"b"), ("c", b"c")))
    job = imported(demo, PATH, {"name": "three", "image_url": url, "min_disk": 1})
    assert failed(job, "IMG.0015")
    assert job["entities"] == {"sub_jobs_list": [], "sub_jobs_result": []}
    assert (demo.listed(), server.stored_bytes()) == ([], 0)


@pytest.mark.parametrize("archived", [True, False])
def test_killed_anywhere_all_images_are_whole_or_none_is(fresh_server, rng, archived):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    disks = [(f"d{n}", os.urandom(MIB) * 16) for n in range(3)]
    bad = bytes(16 * MIB) + b"x"
    if archived:
        fine = {"image_url": put(server, demo.project_id, "fine.ova", ova(*disks))}
        broken = {"image_url": put(server, demo.project_id, "broken.ova",
                                   ova(*disks, ("d3", b"\x1f\x8b\x08" + bad)))}
    else:
        urls = [put(server, demo.project_id, name, data) for name, data in disks]
        worse = [*urls, put(server, demo.project_id, "bad", b"\x1f\x8b\x08" + bad)]
        fine = machine(urls[0], *map(disk, urls[1:]))
        broken = machine(worse[0], *map(disk, worse[1:]))
    for body in (fine, broken, fine, broken):
        job_id = demo.post(PATH, {**body, "name": "m", "min_disk": 1}).expect(200).json()["job_id"]
        for _ in range(2):
            pause = rng.uniform(0.0, 0.2)
            harness.wait_until(lambda until=harness.time.monotonic() + pause:
                               harness.time.monotonic() >= until, what="a moment")
            server.restart()
        demo = server.client("demo")
        job = demo.wait_job(job_id, 60)
        subs = job["entities"]["sub_jobs_result"]
        if body is broken:
            assert failed(job, "IMG.0057", "gzip")
            assert [(sub["status"], sub["entities"]) for sub in subs] == 4 * [("FAIL", {})]
        else:
            assert job["status"] == "SUCCESS", job
            images = [sub["entities"]["image_id"] for sub in subs]
            assert set(demo.listed()) == set(images) and len(images) == 3
            for image, (_, data) in zip(images, disks):
                shown = demo.show(image)
                assert (shown["status"], shown["checksum"]) == ("active", harness.md5(data))
                demo.delete(f"/v2/images/{image}").expect(204)
        assert demo.listed() == []
        harness.wait_until(lambda: server.stored_bytes() == 0, what="no bytes left")


def test_an_archive_that_is_replaced_meanwhile_is_not_mixed(fresh_server):
    server = fresh_server(config=CONFIG)
    demo = server.client("demo")
    old = ova(("a", b"old"), ("b", bytes(400 * MIB)))
    url = put(server, demo.project_id, "vm.ova", old)
    body = {"name": "m", "image_url": url, "min_disk": 1}
    job_id = demo.post(PATH, body).expect(200).json()["job_id"]
    harness.wait_until(lambda: len(demo.listed()) == 2, what="the second is under way")
    server.kill()
    put(server, demo.project_id, "vm.ova", ova(("a", b"new"), ("b", b"new")))
    server.start()
    demo = server.client("demo")
    assert failed(demo.wait_job(job_id), "IMG.0057", "changed while it was imported")
    assert demo.listed() == []
    harness.wait_until(lambda: server.stored_bytes() == 0, what="no bytes left")


@store.s3_only
def test_an_ova_in_a_bucket_of_an_object_store(fresh_server, vmdks):
    server = fresh_server()
    demo = server.client("demo")
    archive = ova(*zip(("a.vmdk", "b.vmdk"), vmdks))
    whole = demo.create_image(archive, disk_format="vmdk", container_format="ova")["id"]
    bucket = pathlib.Path(store.FOLDER) / f"users-{demo.project_id[:16]}"
    bucket.mkdir()
    try:
        server.environment.update(
            VITRINE_BUCKETS_DRIVER="s3", VITRINE_BUCKETS_ENDPOINT=store.URL,
            VITRINE_BUCKETS_ACCESS_KEY=s3.ACCESS_KEY, VITRINE_BUCKETS_SECRET_KEY=s3.SECRET_KEY,
            VITRINE_BUCKETS_ALLOW=f"{demo.project_id}:{bucket.name}")
        server.restart()
        demo = server.client("demo")
        url = f"{bucket.name}:dir/vm.ova"
        exported = imported(demo, f"/v1/cloudimages/{whole}/file",
                            {"bucket_url": url, "is_quick_export": True})
        assert exported["status"] == "SUCCESS", exported
        job = imported(demo, PATH, {"name": "vm", "image_url": url, "min_disk": 1})
        assert job["status"] == "SUCCESS", job
        images = [sub["entities"]["image_id"] for sub in job["entities"]["sub_jobs_result"]]
        assert [demo.show(image)["checksum"] for image in images] \
            == [harness.md5(data) for data in vmdks]
    finally:
        shutil.rmtree(bucket)
