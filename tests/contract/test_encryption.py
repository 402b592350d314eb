"""Encrypted images (contract: ims-api 5.1, 7): keys, copies, downloads, sharing.

And what must be nowhere: plain bytes, data keys and master keys.
"""

import json
import os
import pathlib
import re
import subprocess
import uuid

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import harness
from identity import builtin_only
from keyring import keys, new_key
from store import KIND
from test_copy import blobs, copied, copy, refused
from test_imports import GIB, put, put_zeros, system
from test_stored_conditions import stopped

SEGMENT = 65536
SECRET_TEXT = b"plain bytes that nobody may find "


def encrypted(client, data, key, **fields):
    """An encrypted image with that data, and the plain one it was made from."""
    source = client.create_image(data, **fields)["id"]
    job = copied(client, source, cmk_id=key)
    assert job["status"] == "SUCCESS", job
    return client.show(job["entities"]["image_id"]), source


def told(answer):
    """Status and text of a refusal of the Image API."""
    assert answer.status >= 400
    return answer.status, re.sub(r"<[^>]*>|\s+", " ", answer.text).strip()


def test_an_encrypted_copy_is_the_same_to_its_owner_and_other_bytes_on_the_disk(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    key = new_key(server, "web", demo)
    data = SECRET_TEXT * 10_000  # some segments
    image, source = encrypted(demo, data, key, os_distro="debian", tags=["env=prod"])
    assert image["__system__cmkid"] == key
    assert (image["status"], image["size"], image["checksum"], image["os_hash_value"]) \
        == ("active", len(data), harness.md5(data), harness.sha512(data))
    assert (image["os_distro"], image["tags"], image["visibility"]) \
        == ("debian", ["env=prod"], "private")
    answer = demo.download(image["id"])
    assert answer.status == 200 and answer.body == data
    assert answer.headers["Content-MD5"] == harness.md5(data)
    for first, last in ((0, 0), (SEGMENT - 1, SEGMENT), (5, 3 * SEGMENT), (len(data) - 1,) * 2,
                        (SEGMENT, 2 * SEGMENT - 1)):
        part = demo.download(image["id"], Range=f"bytes={first}-{last}")
        assert part.status == 206 and part.body == data[first:last + 1]
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(data)}"
    demo.delete(f"/v2/images/{source}").expect(204)
    harness.wait_until(lambda: len(blobs(server)) == 1, what="the end of the plain bytes")
    harness.wait_until(lambda: len(server.store.files()) == 1, what="the same in the store")
    stored = server.store.files()[0].read_bytes()
    assert len(stored) == len(data) + 16 * -(-len(data) // SEGMENT)
    assert SECRET_TEXT not in stored
    assert server.check_blobs() == (0, ["1 blobs compared, 0 wrong"])
    demo.delete(f"/v2/images/{image['id']}").expect(204)
    assert server.database.rows("SELECT COUNT(*) FROM image_keys") in ([(0,)], [("0",)])
    harness.wait_until(lambda: server.stored_bytes() == 0, what="the end of the bytes")


def test_no_data_at_all_can_be_encrypted(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image, _ = encrypted(demo, b"", new_key(server, "k", demo))
    answer = demo.download(image["id"])
    assert (answer.status, answer.body, image["size"]) == (200, b"", 0)


def test_equal_data_is_shared_by_no_encrypted_images(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    key = new_key(server, "k", demo)
    data = SECRET_TEXT * 3000
    first, source = encrypted(demo, data, key)
    second = copied(demo, source, cmk_id=key)["entities"]["image_id"]
    assert [refs for _, refs in blobs(server)] == [1, 1, 1]
    assert len({path.read_bytes() for path in server.store.files()}) == 3
    # An upload of the same bytes finds the plain ones alone.
    demo.create_image(data)
    assert sorted(refs for _, refs in blobs(server)) == [1, 1, 2]
    # A copy without a key is plain again, and those bytes are there already.
    plain = copied(demo, first["id"])["entities"]["image_id"]
    assert "__system__cmkid" not in demo.show(plain)
    assert sorted(refs for _, refs in blobs(server)) == [1, 1, 3]
    # From key to key.
    other = new_key(server, "other", demo)
    third = copied(demo, first["id"], cmk_id=other)["entities"]["image_id"]
    assert demo.show(third)["__system__cmkid"] == other
    for image in (first["id"], second, plain, third):
        assert demo.download(image).body == data


def test_nobody_waits_for_copies_that_carry_data(fresh_server):
    server = fresh_server(config='[buckets]\ndriver = "directory"\n'
                          '[jobs]\nworkers = 1\ncarriers = 1\n')
    demo, alt = server.client("demo"), server.client("alt")
    key = new_key(server, "k", demo)
    large = system(demo, put_zeros(server, demo.project_id, "large", GIB // 2))
    large = large["entities"]["image_id"]
    carried = [copy(demo, large, cmk_id=key).expect(200).json()["job_id"] for _ in range(2)]
    harness.wait_until(lambda: demo.job(carried[0])["status"] == "RUNNING", what="it runs")
    small = alt.create_image(b"x")["id"]
    assert alt.share([small], [demo.project_id])["status"] == "SUCCESS"
    assert copied(alt, small)["status"] == copied(demo, large)["status"] == "SUCCESS"
    assert demo.job(carried[-1])["status"] in ("INIT", "RUNNING")
    ended = [demo.wait_job(job, 60) for job in carried]
    assert [job["status"] for job in ended] == ["SUCCESS"] * 2
    # To take the key off is to carry the data, too.
    sealed = ended[0]["entities"]["image_id"]
    carried = [copy(demo, sealed).expect(200).json()["job_id"] for _ in range(2)]
    assert copied(alt, small)["status"] == "SUCCESS"
    assert demo.job(carried[-1])["status"] in ("INIT", "RUNNING")
    assert all(demo.wait_job(job, 60)["status"] == "SUCCESS" for job in carried)


def test_what_is_refused_and_with_which_code(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    mine, off, others = (new_key(server, *row) for row in (
        ("mine", demo), ("off", demo), ("others", alt)))
    assert keys(server, "disable", "off") == (0, "")
    image, source = encrypted(demo, b"x", mine)
    refused(demo, source, 400, "IMG.0095", cmk_id=str(uuid.uuid4()))
    refused(demo, source, 400, "IMG.0095", cmk_id="mine")  # names are for operators
    refused(demo, source, 400, "IMG.0097", cmk_id=off.upper())
    refused(demo, source, 400, "IMG.0099", cmk_id=others)
    for spelling in (mine, mine.upper()):  # of an id, any letters will do
        refused(demo, image["id"], 400, "IMG.0096", cmk_id=spelling)
    again = copied(demo, source, cmk_id=mine.upper())["entities"]["image_id"]
    assert demo.show(again)["__system__cmkid"] == mine
    found = demo.get(f"/v2/cloudimages?__system__cmkid={mine.upper()}").expect(200).json()
    assert {each["id"] for each in found["images"]} == {image["id"], again}
    assert keys(server, "revoke", "mine", "--project", demo.project_id) == (0, "")
    refused(demo, image["id"], 400, "IMG.0103")
    assert keys(server, "grant", "mine", "--project", demo.project_id) == (0, "")
    assert keys(server, "disable", "mine") == (0, "")
    refused(demo, image["id"], 400, "IMG.0102")
    assert keys(server, "enable", mine) == (0, "")
    assert copied(demo, image["id"])["status"] == "SUCCESS"
    metal = demo.create_image(b"x")["id"]
    with stopped(server) as database:
        database.set_properties(metal, virtual_env_type="Ironic")
        database.set_properties(source, virtual_env_type="IsoImage")
    demo = server.client("demo")
    refused(demo, metal, 400, "IMG.0118", cmk_id=mine)
    refused(demo, source, 400, "IMG.0167", cmk_id=mine)


def test_a_recipient_reads_it_while_the_key_is_granted(fresh_server):
    server = fresh_server()
    demo, alt, third = (server.client(name) for name in ("demo", "alt", "third"))
    key = new_key(server, "k", demo)
    data = SECRET_TEXT * 5000
    image = encrypted(demo, data, key)[0]["id"]
    pair = demo.share([image], [alt.project_id])["entities"]["results"][0]
    assert (pair["status"], pair["error_code"]) == ("failed", "IMG.0099")
    demo.patch(f"/v2/images/{image}",
               [{"op": "replace", "path": "/visibility", "value": "shared"}]).expect(200)
    answer = demo.post(f"/v2/images/{image}/members", {"member": alt.project_id})
    assert told(answer)[0] == 403 and "not granted" in answer.text
    assert demo.members(image) == {}
    assert keys(server, "grant", "k", "--project", alt.project_id) == (0, "")
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.answer_share([image])["status"] == "SUCCESS"
    assert alt.download(image).body == data
    assert alt.download(image, Range="bytes=70000-70009").body == data[70000:70010]
    own = alt.show(copied(alt, image)["entities"]["image_id"])
    assert alt.download(own["id"]).body == data and "__system__cmkid" not in own

    assert keys(server, "revoke", "k", "--project", alt.project_id) == (0, "")
    answer = alt.download(image)
    assert answer.status == 403 and "not granted to the own project" in answer.text
    refused(alt, image, 400, "IMG.0197")
    assert demo.download(image).body == data, "of the owner nothing was taken"
    assert third.download(image).status == 404
    assert keys(server, "grant", "k", "--project", alt.project_id) == (0, "")
    assert alt.download(image).body == data
    assert keys(server, "disable", "k") == (0, "")
    for client in (demo, alt):
        answer = client.download(image)
        assert answer.status == 409 and "is disabled" in answer.text


@builtin_only
def test_a_key_is_granted_to_all_projects_of_a_domain(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    status, said = keys(server, "create", "k", "--domain", "Default")
    assert status == 0
    key = said.strip()
    image = encrypted(demo, b"x", key)[0]["id"]
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.answer_share([image])["status"] == "SUCCESS"
    assert alt.download(image).body == b"x"
    assert keys(server, "revoke", "k", "--domain", "default") == (0, "")
    assert alt.download(image).status == demo.download(image).status == 403


def test_the_default_key_is_of_one_project_and_its_images_are_not_shared(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    image, source = encrypted(demo, b"data", "ims/default")
    assert image["__system__cmkid"] == "ims/default"
    assert demo.download(image["id"]).body == b"data"
    other = demo.show(copied(demo, source, cmk_id="default")["entities"]["image_id"])
    assert other["__system__cmkid"] == "ims/default"
    encrypted(alt, b"data", "ims/default")
    assert demo.share([image["id"]], [alt.project_id])["error_code"] == "IMG.0098"
    demo.post(f"/v2/images/{image['id']}/members", {"member": alt.project_id}).expect(403)
    refused(demo, image["id"], 400, "IMG.0096", cmk_id="ims/default")
    assert demo.download(copied(demo, image["id"])["entities"]["image_id"]).body == b"data"
    listed = keys(server, "list")[1].splitlines()
    names = {line.split()[3] for line in listed}
    assert names == {f"ims/default:{client.project_id}" for client in (demo, alt)}
    name = f"ims/default:{demo.project_id}"
    assert keys(server, "grant", name, "--project", alt.project_id) == (
        1, "vitrine: the default key of a project is for that project alone\n")


def test_a_default_key_that_is_disabled_is_told_before_a_job_is_made(fresh_server):
    """The job was made, and failed."""
    server = fresh_server(config='[buckets]\ndriver = "directory"\n')
    demo = server.client("demo")
    put(server, demo.project_id, "disk", b"bytes", "inbox")
    image, source = encrypted(demo, b"data", "ims/default")
    name = f"ims/default:{demo.project_id}"
    assert keys(server, "disable", name) == (0, "")
    jobs = server.database.rows("SELECT COUNT(*) FROM jobs")
    new = {"name": "new", "image_url": "inbox:disk", "min_disk": 1, "cmk_id": "ims/default"}

    def export():
        return demo.post(f"/v1/cloudimages/{image['id']}/file",
                         {"bucket_url": "inbox:out", "file_format": "raw"})
    refused(demo, image["id"], 400, "IMG.0102")
    refused(demo, source, 400, "IMG.0097", cmk_id="ims/default")
    for answer, code in ((export(), "IMG.0102"),
                         (demo.post("/v2/cloudimages/action", new), "IMG.0097")):
        assert (answer.status, answer.code()) == (400, code), answer
    assert server.database.rows("SELECT COUNT(*) FROM jobs") == jobs
    # The key of another project is another one, and made when it is first used.
    encrypted(server.client("alt"), b"data", "ims/default")
    assert keys(server, "enable", name) == (0, "")
    assert copied(demo, image["id"])["status"] == "SUCCESS"
    for answer in (export(), demo.post("/v2/cloudimages/action", new)):
        assert demo.wait_job(answer.expect(200).json()["job_id"])["status"] == "SUCCESS"


def test_without_a_key_service_nothing_is_encrypted(fresh_server):
    server = fresh_server(config='[keys]\ndriver = "none"\n')
    demo = server.client("demo")
    source = demo.create_image(b"x")["id"]
    refused(demo, source, 400, "IMG.0100", cmk_id=str(uuid.uuid4()))
    refused(demo, source, 400, "IMG.0100", cmk_id="ims/default")
    assert copied(demo, source)["status"] == "SUCCESS"
    assert keys(server, "create", "k") == (1, "vitrine: There is no key service.\n")
    assert not (server.directory / "keyring").exists()


def test_the_commands(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    assert keys(server, "list") == (0, "")
    key = new_key(server, "web", demo, alt)
    status, said = keys(server, "list")
    assert status == 0
    grantees = ", ".join(sorted((demo.project_id, alt.project_id)))
    assert re.fullmatch(key + r"  enabled   \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  web  granted to "
                        + grantees + "\n", said), said
    assert keys(server, "create", "web") == (1, "vitrine: there is a key named web\n")
    assert keys(server, "create", "a b")[0] == 1
    for command in (("disable",), ("enable",), ("grant", "--project", demo.project_id)):
        assert keys(server, command[0], "nowhere", *command[1:]) \
            == (1, "vitrine: no key: nowhere\n")
    assert keys(server, "grant", "web")[0] == 2, "to whom?"
    assert keys(server, "revoke", key, "--project", alt.project_id) == (0, "")
    assert keys(server, "revoke", key, "--project", alt.project_id) == (
        1, f"vitrine: {key} is not granted to {alt.project_id}\n")
    assert oct((server.directory / "keyring").stat().st_mode & 0o777) == "0o600"


def test_commands_that_change_something_leave_events(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    key = new_key(server, "web", demo)
    for command in ("grant", "enable"):  # neither changes anything
        to = ("--project", demo.project_id) if command == "grant" else ()
        assert keys(server, command, "web", *to) == (0, "")
    assert keys(server, "disable", key) == (0, "")
    assert keys(server, "enable", "web") == (0, "")
    assert keys(server, "revoke", "web", "--project", demo.project_id) == (0, "")
    assert keys(server, "revoke", "web", "--project", alt.project_id)[0] == 1
    marker = demo.create_image()["id"]
    harness.wait_until(lambda: marker in str(server.events()), what="the events so far")
    lines = [line for line in server.events() if line["resource_type"] == "key"]
    of_key = {"id": key, "typeURI": "data/security/key", "name": "web"}
    state, to_demo = {"changed": ["enabled"]}, {"project_id": demo.project_id}
    assert [(line["name"], line["event_type"], line["action"], line["target"])
            for line in lines] == [
        ("createKey", "key.create", "create", of_key),
        ("grantKey", "key.grant.create", "create", of_key | to_demo),
        ("updateKey", "key.update", "update", of_key | state),
        ("updateKey", "key.update", "update", of_key | state),
        ("revokeKey", "key.grant.delete", "delete", of_key | to_demo)]
    for line in lines:
        assert (line["service_type"], line["outcome"]) == ("IMS", "success")
        assert (line["initiator"]["id"], line["initiator"]["name"]) == ("operator", "vitrine keys")


def test_nobody_is_no_grantee(fresh_server):
    """An empty name, as of a variable that is not set, was granted to every project."""
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    image, _ = encrypted(demo, b"data", new_key(server, "k", demo))
    for to in ("--domain", "--project"):
        status, said = keys(server, "grant", "k", to, "")
        assert (status, said) == (1, "vitrine: the name of the grantee is empty\n")
    [row] = demo.share([image["id"]], [alt.project_id])["entities"]["results"]
    assert (row["status"], row["error_code"]) == ("failed", "IMG.0099")


def test_a_keyring_that_is_gone_is_missed(fresh_server):
    """A new one was made in its place, without the keys of the images."""
    server = fresh_server()
    demo = server.client("demo")
    image, source = encrypted(demo, b"data", "ims/default")
    place = server.directory / "keyring"
    place.rename(server.directory / "elsewhere")
    answer = demo.download(image["id"])
    assert answer.status == 503
    copy(demo, source, cmk_id="ims/default").expect(400, 503)
    assert not place.exists()
    # Where it should be is told to the operator alone.
    assert "cannot be used now" in answer.text and str(server.directory) not in answer.text
    assert f"the keyring {place}: cannot open" in server.log()
    (server.directory / "elsewhere").rename(place)
    assert demo.download(image["id"]).expect(200).body == b"data"


@pytest.mark.parametrize("left", [None, "vitrine keyring 1\n"], ids=["none", "empty"])
def test_no_server_starts_on_a_keyring_without_the_keys_of_its_images(fresh_server, left):
    """It made new keys, and all looked well but for the images of before."""
    server = fresh_server()
    demo = server.client("demo")
    image, _ = encrypted(demo, b"data", new_key(server, "k", demo))
    assert server.stop() == 0
    place, kept = server.directory / "keyring", server.directory / "kept"
    place.rename(kept)
    if left:
        place.write_text(left)
        place.chmod(0o600)
    refused_start = subprocess.run(
        server.command(), capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **server.environment})
    assert refused_start.returncode == 1
    assert f"1 images are encrypted, but the keyring {place} is missing" in refused_start.stderr
    assert place.exists() == bool(left)
    kept.rename(place)
    server.start()
    assert server.client("demo").download(image["id"]).expect(200).body == b"data"


def test_a_keyring_that_others_may_read_is_not_used(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    key = new_key(server, "k", demo)
    image, source = encrypted(demo, b"x", key)
    (server.directory / "keyring").chmod(0o644)
    answer = demo.download(image["id"])
    assert answer.status == 503
    assert demo.download(source).body == b"x"
    (server.directory / "keyring").chmod(0o600)
    assert demo.download(image["id"]).body == b"x"


@pytest.mark.skipif(KIND != "file", reason="changes the file of a blob")
def test_changed_bytes_are_never_handed_out(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    data = SECRET_TEXT * 10_000
    image = encrypted(demo, data, new_key(server, "k", demo))[0]["id"]
    path, = (path for path in server.store.files() if path.stat().st_size != len(data))
    stored = bytearray(path.read_bytes())
    stored[SEGMENT + 16 + 5] ^= 1  # in the second segment
    path.write_bytes(stored)
    good = demo.download(image, Range=f"bytes=0-{SEGMENT - 1}")
    assert good.body == data[:SEGMENT]
    with demo.raw() as connection:
        connection.send(demo.head_lines("GET", f"/v2/images/{image}/file",
                                        f"Range: bytes={SEGMENT}-{SEGMENT + 99}"))
        answer = connection.answer()
        assert (answer.status, answer.body) == (206, b""), "it ends where the bytes are bad"
    path.write_bytes(stored[:-100])
    server.store_is_spoilt = True
    assert demo.download(image).status == 503


def test_a_killed_worker_leaves_one_whole_copy(fresh_server, rng):
    server = fresh_server(config="[jobs]\nlease_seconds = 1\npoll_seconds = 1\n")
    demo = server.client("demo")
    key = new_key(server, "k", demo)
    data = rng.randbytes(48 << 20)
    source = demo.create_image(data)["id"]
    for _ in range(3):
        job_id = copy(demo, source, cmk_id=key).expect(200).json()["job_id"]
        harness.wait_until(lambda: server.stored_bytes() > len(data) * (1.1 + rng.random() / 2)
                           or demo.job(job_id)["status"] == "SUCCESS", what="a part of the copy")
        server.restart()
        job = demo.wait_job(job_id, 60)
        assert job["status"] == "SUCCESS", job
        image = job["entities"]["image_id"]
        assert demo.show(image)["status"] == "active"
        assert harness.md5(demo.download(image).body) == harness.md5(data)
        harness.wait_until(lambda: len(server.store.files()) == 2, what="no stray byte")
        assert sorted(demo.listed()) == sorted([source, image])
        demo.delete(f"/v2/images/{image}").expect(204)
        harness.wait_until(lambda: len(server.store.files()) == 1, what="the end of the copy")


def test_a_copy_under_way_can_be_deleted(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    key = new_key(server, "k", demo)
    source = demo.create_image(os.urandom(64 << 20))["id"]
    job_id = copy(demo, source, cmk_id=key).expect(200).json()["job_id"]

    def saving():
        found = [image for image in demo.listed() if image != source]
        return found[0] if found else None
    image = harness.wait_until(saving, what="the image of the copy")
    state = demo.show(image)
    demo.delete(f"/v2/images/{image}").expect(204)
    job = demo.wait_job(job_id)
    if state["status"] == "saving":
        assert (state["size"], state["checksum"]) == (None, None)
        assert job["entities"].get("image_id") in (None, image)
    harness.wait_until(lambda: len(server.store.files()) == 1, what="the end of the bytes")
    assert demo.listed() == [source]


def master_keys(server):
    """Ids and keys of the keyring, as its documentation says."""
    lines = (server.directory / "keyring").read_text().splitlines()
    assert lines[0] == "vitrine keyring 1"
    return {line.split(" ")[0]: bytes.fromhex(line.split(" ")[3]) for line in lines[1:]}


def data_keys(server):
    """The data keys, unwrapped by another hand."""
    masters, found = master_keys(server), {}
    for image, key, wrapped in server.database.rows(
            "SELECT image_id, key_id, wrapped_key FROM image_keys"):
        raw = bytes.fromhex(wrapped)
        bound = f"vitrine data key 1\n{key}\n{image}".encode()
        found[image] = AESGCM(masters[key]).decrypt(raw[:12], raw[12:], bound)
    return found


def test_the_stored_form_is_the_documented_one(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    data = SECRET_TEXT * 5000
    image, _ = encrypted(demo, data, new_key(server, "k", demo))
    blob, = (row[0] for row in server.database.rows(
        "SELECT blob_id FROM images WHERE id = ?", image["id"]))
    path, = (path for path in server.store.files() if path.name.endswith(blob))
    stored, opener = path.read_bytes(), AESGCM(data_keys(server)[image["id"]])
    step = SEGMENT + 16
    pieces = [stored[at:at + step] for at in range(0, len(stored), step)]
    plain = b"".join(
        opener.decrypt(bytes(3) + index.to_bytes(8, "big") + bytes([index == len(pieces) - 1]),
                       piece, f"vitrine segment 1\n{blob}".encode())
        for index, piece in enumerate(pieces))
    assert plain == data


def places(server):
    """All that a service leaves behind, but for the keyring and its temporary files."""
    for path in [*pathlib.Path(server.directory).rglob("*"), *server.store.files(),
                 server.log_path]:
        if path.is_file() and not path.name.startswith("keyring"):
            yield path, path.read_bytes()
    for (table,) in [("images",), ("image_keys",), ("jobs",), ("audit_outbox",), ("blobs",)]:
        rows = server.database.rows(f"SELECT * FROM {table}")
        yield table, json.dumps(rows, default=str).encode()


def test_no_key_and_no_plain_byte_is_left_anywhere(fresh_server):
    server = fresh_server(environment={"VITRINE_LOG_LEVEL": "debug"})
    demo, alt = server.client("demo"), server.client("alt")
    key = new_key(server, "k", demo, alt)
    secret = b"the words of the customer " * 8000
    image, source = encrypted(demo, secret, key)
    demo.share([image["id"]], [alt.project_id])
    alt.answer_share([image["id"]])
    assert alt.download(image["id"]).body == secret
    encrypted(demo, secret, "ims/default")
    answers = [demo.get(f"/v2/images/{image['id']}").text]
    assert keys(server, "revoke", "k", "--project", alt.project_id) == (0, "")
    answers.append(alt.download(image["id"]).text)
    answers.append(copy(alt, image["id"]).text)
    answers.append(copy(demo, source, cmk_id="0" * 36).text)
    answers.append(server.client().get("/metrics").text)
    for plain in [source, *[name for name in demo.listed() if "__system__cmkid"
                            not in demo.show(name) and name != source]]:
        demo.delete(f"/v2/images/{plain}").expect(204)
    limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0\s", limits), limits
    harness.wait_until(lambda: len(server.store.files()) == 2, what="the end of the plain bytes")
    hidden = {"plain bytes": secret[:26]}
    for name, value in [*master_keys(server).items(), *data_keys(server).items()]:
        hidden[f"key {name}"] = value
        hidden[f"key {name} in hex"] = value.hex().encode()
    assert len(hidden) == 1 + 2 * 4
    assert server.stop() == 0
    for place, content in [*places(server), *(("answer", text.encode()) for text in answers)]:
        for what, value in hidden.items():
            assert value not in content, f"{what} in {place}"
            assert value.upper() not in content, f"{what} in {place}"
