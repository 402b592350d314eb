"""Image data that is signed with an access key while no header tells its hash.

Who sends it is known only when all of it is there: it waits in a file without a name, and nothing
of the image is touched or told before.
"""

import json
import pathlib
import re
import time
import uuid

import pytest

import signing
import small_disk
from harness import SANITIZED, Server, wait_until
from signing import Signed, make_key

MIB = 1 << 20
MEDIA = {"Content-Type": "application/octet-stream"}


@pytest.fixture(params=[False, True], ids=["A", "B"])
def signer(server, demo, request):
    return Signed(server, make_key(demo, chained=request.param))


def path_of(image):
    return f"/v2/images/{image}/file"


def upload(signer, image, data, seconds=0):
    return signer.request("PUT", path_of(image), body=data, date=signing.stamp(seconds),
                          headers=MEDIA)


def headers_for(signer, image, data):
    return signer.key.headers("{}:{}".format(*signer.server.address), "PUT", path_of(image), data,
                              extra=MEDIA)


def in_pieces(data):
    return iter([data[at:at + 1_000_000] for at in range(0, len(data), 1_000_000)])


def with_wrong_secret(signer):
    return Signed(signer.server, signing.Key(signer.key.access, "wrong", chained=True))


def spools(server, folder=None):
    """Sizes of the files without a name below the folder that the server has open."""
    sizes = []
    for link in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            name = str(link.readlink())
            if name.startswith(str(folder or server.directory)) and name.endswith(" (deleted)"):
                sizes.append(link.stat().st_size)
        except FileNotFoundError:
            continue
    return sorted(sizes)


def figures(server):
    """Number and bytes of all that wait, as the metrics tell them."""
    text = server.client().get("/metrics").text
    return tuple(float(re.search(rf"^vitrine_{name} (\S+)$", text, re.MULTILINE)[1])
                 for name in ("spools", "spooled_bytes"))


def begin(signer, image, data, sent):
    """A connection on which only that much of the data has been sent."""
    lines = [f"{name}: {value}" for name, value in headers_for(signer, image, data).items()
             if name != "Host"]
    raw = signer.server.client().raw()
    head = signer.server.client().head_lines("PUT", path_of(image), *lines,
                                             f"Content-Length: {len(data)}")
    return raw.send(head + data[:sent])


@pytest.mark.parametrize("whole", [True, False], ids=["one-piece", "chunked"])
def test_the_data_is_taken_once_and_as_signed(signer, demo, rng, whole):
    image = demo.create_image()["id"]
    data = rng.randbytes(3_000_000)
    headers, stranger = headers_for(signer, image, data), signer.server.client()

    def send(body):
        return stranger.request("PUT", path_of(image), body=body if whole else in_pieces(body),
                                headers=headers)
    for other in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1], data + b"x"):
        assert (send(other).status, demo.show(image)["status"]) == (401, "queued")
    send(data).expect(204)
    assert demo.download(image).body == data
    assert send(data).status == 401  # used
    assert upload(signer, image, data, seconds=-30).status == 409
    assert spools(signer.server) == []


def test_no_data_at_all(signer, demo):
    image = demo.create_image()["id"]
    assert upload(with_wrong_secret(signer), image, b"").status == 401
    upload(signer, image, b"").expect(204)
    assert demo.show(image)["size"] == 0
    image = demo.create_image()["id"]
    for who, status in ((with_wrong_secret(signer), 401), (signer, 204)):  # nothing, in chunks
        headers = headers_for(who, image, b"")
        answer = signer.server.client().request("PUT", path_of(image), body=iter([]),
                                                headers=headers)
        assert answer.status == status
    assert demo.show(image)["size"] == 0


def test_a_key_without_its_secret_shows_and_changes_nothing(signer, demo, alt):
    images = {"queued": demo.create_image()["id"], "active": demo.create_image(b"x")["id"],
              "foreign": alt.create_image()["id"], "none": str(uuid.uuid4())}
    before = {kind: demo.get(f"/v2/images/{image}").text for kind, image in images.items()}
    data = b"data" * 9000
    answers = [upload(with_wrong_secret(signer), image, data) for image in images.values()]
    assert {(answer.status, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert {kind: demo.get(f"/v2/images/{image}").text for kind, image in images.items()} == before
    unknown = Signed(signer.server, signing.Key("A" * 20, "x"))
    assert upload(unknown, images["queued"], data).text == answers[0].text
    right = {kind: upload(signer, image, data).status for kind, image in images.items()}
    assert right == {"queued": 204, "active": 409, "foreign": 404, "none": 404}


def test_what_is_wrong_with_the_data_is_told_as_ever(server, demo):
    signer = Signed(server, make_key(demo, chained=True))
    image = demo.create_image(disk_format="qcow2")["id"]
    wrong = b"no qcow2" * 200_000
    by_token = demo.upload(image, wrong).expect(415)
    assert upload(signer, image, wrong).expect(415).text == by_token.text
    assert demo.show(image)["status"] == "queued"
    answer = signer.request("PUT", path_of(image), body=wrong, date=signing.stamp(-5),
                            headers={"Content-Type": "text/plain"})
    assert answer.status == 415 and "text/plain" in answer.text


def test_data_that_is_cut_leaves_nothing(fresh_server, rng):
    server = fresh_server()
    demo = server.client("demo")
    signer = Signed(server, make_key(demo))
    image = demo.create_image()["id"]
    data = rng.randbytes(3 * MIB)
    with begin(signer, image, data, 2 * MIB):
        wait_until(lambda: spools(server) == [2 * MIB])
        assert figures(server) == (1, 2 * MIB)
        assert demo.show(image)["status"] == "queued"
        demo.upload(image, b"of somebody quicker").expect(204)
    wait_until(lambda: figures(server) == (0, 0))
    assert spools(server) == []
    wait_until(lambda: "spool.given_up" in server.log())
    given_up = [json.loads(line) for line in server.log().splitlines() if "spool.given_up" in line]
    assert [(line["holder"], line["size_bytes"], line["detail"]) for line in given_up] == \
        [(f"{signer.key.access}@127.0.0.1", 2 * MIB, "the client left")]
    assert given_up[0]["request_id"].startswith("req-")
    assert demo.download(image).body == b"of somebody quicker"
    assert server.stored_bytes() == len(b"of somebody quicker")
    with begin(signer, demo.create_image()["id"], data, 2 * MIB):
        wait_until(lambda: spools(server) == [2 * MIB])
        server.kill()
    assert not [path for path in server.directory.rglob("*") if "spool" in path.name]


def test_one_body_has_a_limit(fresh_server):
    server = fresh_server(config="[spool]\nsize_bytes_max = 3000000\n")
    demo = server.client("demo")
    signer = Signed(server, make_key(demo))
    image, data = demo.create_image()["id"], bytes(3_000_001)
    for who in (signer, with_wrong_secret(signer)):  # the same for all, so no secret
        with begin(who, image, data, 0) as raw:  # before a byte is sent
            refused = raw.answer("PUT")
            assert refused.status == 413 and "3000000 bytes" in refused.text
        stranger = server.client()
        headers = headers_for(who, image, data)
        stranger.request("PUT", path_of(image), body=in_pieces(data), headers=headers).expect(413)
    assert spools(server) == []
    signer.request("PUT", path_of(image), body=data, payload="UNSIGNED-PAYLOAD",
                   headers=MEDIA).expect(204)
    upload(signer, demo.create_image()["id"], data[:-1]).expect(204)


def test_all_bodies_have_a_limit_and_one_key_takes_half_of_what_is_left(fresh_server):
    server = fresh_server(
        config=f"[spool]\nsize_bytes_max = {2 * MIB}\ntotal_bytes_max = {4 * MIB}\n")
    demo, alt = server.client("demo"), server.client("alt")
    signer, other = Signed(server, make_key(demo)), Signed(server, make_key(alt))
    first, second = demo.create_image()["id"], demo.create_image()["id"]
    foreign, data = alt.create_image()["id"], bytes(2 * MIB)
    # Who knows a key without its secret takes no more than the half of it, and with another one no
    # more than the half of the rest.
    with begin(with_wrong_secret(signer), first, data, len(data) - 1) as raw, \
            begin(with_wrong_secret(signer), first, data, 0) as more:
        wait_until(lambda: spools(server) == [0, MIB])
        more.send(data[:MIB])
        wait_until(lambda: spools(server) == [MIB, MIB])
        refused = upload(signer, second, b"x")
        assert refused.status == 503 and "under way" in refused.text
        assert upload(with_wrong_secret(other), foreign, data).status == 503
        upload(other, foreign, data[:MIB]).expect(204)
        demo.upload(second, b"a token needs none of it").expect(204)
        raw.send(b"\0")
        assert raw.answer("PUT").status == 503
    wait_until(lambda: spools(server) == [])
    upload(signer, first, data, seconds=-5).expect(204)


def test_data_that_takes_too_long(fresh_server):
    """The time was looked at when a whole MiB had come, which such a client takes days for."""
    server = fresh_server(config="[spool]\ntimeout_seconds = 1\n")
    demo = server.client("demo")
    signer = Signed(server, make_key(demo))
    image, data = demo.create_image()["id"], bytes(2 * MIB)
    began = time.monotonic()
    with begin(signer, image, data, MIB) as raw:
        wait_until(lambda: spools(server) == [MIB])
        refused = raw.answer("PUT")
        assert refused.status == 408 and "1 seconds" in refused.text
        assert 1 <= time.monotonic() - began < 20
    wait_until(lambda: spools(server) == [])
    wait_until(lambda: "took longer than 1 seconds" in server.log())
    assert demo.show(image)["status"] == "queued"


class OnSmallDisk(Server):
    """One that sees the disk of `disk`."""

    disk = None

    def command(self):
        return self.disk.within(super().command())


@pytest.mark.skipif(not small_disk.possible(), reason="no disk can be mounted here")
def test_a_full_disk(tmp_path):
    disk = small_disk.SmallDisk(16 * MIB)
    server = OnSmallDisk(tmp_path / "data", config=f'[spool]\ndirectory = "{disk.inside}"\n')
    server.disk = disk
    try:
        server.start()
        demo = server.client("demo")
        signer = Signed(server, make_key(demo))
        image = demo.create_image()["id"]
        refused = upload(signer, image, bytes(20 * MIB))
        assert refused.status == 413 and "no room on the disk" in refused.text
        assert str(disk.inside) not in refused.text
        assert demo.show(image)["status"] == "queued"
        assert spools(server, disk.inside) == []
        upload(signer, image, bytes(8 * MIB), seconds=-5).expect(204)
    finally:
        server.finish()
        disk.remove()


def test_memory_does_not_grow_with_the_data(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    signer = Signed(server, make_key(demo))
    upload(signer, demo.create_image()["id"], bytes(8 * MIB)).expect(204)
    before, data = server.rss_bytes(), bytes(200 * MIB)
    image = demo.create_image()["id"]
    with begin(signer, image, data, len(data) - 1) as raw:
        wait_until(lambda: spools(server) == [199 * MIB])
        during = server.rss_bytes()
        raw.send(b"\0")
        raw.answer("PUT").expect(204)
    assert SANITIZED or max(during, server.rss_bytes()) - before < 32 * MIB
    assert demo.show(image)["size"] == len(data)
