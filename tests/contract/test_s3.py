"""Image data in an object store: what goes in, what comes out, and what is left when one of the two
ends at the wrong moment."""

import http.client
import os
import pathlib
import re
import socket
import subprocess

import pytest

import database
import harness
import s3
import store

pytestmark = store.s3_only
MIB = 1 << 20


@pytest.fixture
def gateway():
    """An object store of one's own, to be stopped."""
    own = s3.ObjectStore()
    yield own
    own.remove()


@pytest.fixture
def own(gateway, fresh_server, tmp_path):
    """A server over the store of one's own."""
    return fresh_server(store=store.Store(tmp_path / "data0", (gateway.url, gateway.root)))


def begin(client, image_id, length):
    connection = client.raw(60)
    connection.send(client.head_lines("PUT", f"/v2/images/{image_id}/file",
                                      "Content-Type: application/octet-stream",
                                      f"Content-Length: {length}"))
    return connection


def ready(server):
    return server.client().get("/healthcheck/ready")


def status_is(client, image_id, status, seconds=30):
    return harness.wait_until(lambda: client.show(image_id)["status"] == status, seconds,
                              f"status {status}")


def send_until_refused(connection, data):
    """The answer to a body of which not all may be taken."""
    try:
        connection.send(data)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return connection.answer()


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, 5 * MIB + 1, 12 * MIB + 345])
def test_what_comes_out_is_what_went_in(fresh_server, rng, size):
    """Below, at and above the size of a part, whole and by ranges across parts."""
    server = fresh_server()
    demo = server.client("demo")
    data = rng.randbytes(size)
    image = demo.create_image(data)
    assert (image["size"], image["os_hash_value"]) == (size, harness.sha512(data))
    assert demo.download(image["id"]).expect(200).body == data
    for first, last in [(0, 0), (1, size - 1), (5 * MIB - 3, 5 * MIB + 3), (size - 7, size - 1)]:
        if not 0 <= first <= last < size:
            continue
        part = demo.download(image["id"], Range=f"bytes={first}-{last}").expect(206)
        assert part.body == data[first:last + 1]
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert [path.stat().st_size for path in server.store.files()] == [size]
    assert server.store.files()[0].name.startswith("place-")
    demo.delete(f"/v2/images/{image['id']}").expect(204)
    harness.wait_until(lambda: server.store.files() == [], what="an empty bucket")


def test_a_bucket_is_reached_by_the_name_of_the_host(fresh_server, rng):
    server = fresh_server(environment={
        "VITRINE_S3_ENDPOINT": store.URL.replace("127.0.0.1", "localhost"),
        "VITRINE_S3_ADDRESSING": "host"})
    demo = server.client("demo")
    data = rng.randbytes(12 * MIB + 345)
    image = demo.create_image(data)
    assert demo.download(image["id"]).expect(200).body == data
    assert [path.stat().st_size for path in server.store.files()] == [len(data)]
    stray = put_stray(server.store)
    harness.wait_until(lambda: not stray.exists(), what="a sweep")
    demo.delete(f"/v2/images/{image['id']}").expect(204)
    harness.wait_until(lambda: server.store.files() == [], what="an empty bucket")


def put_stray(store):
    """An object as an upload leaves it that no row tells of; its file."""
    stray = store.folder / "some" / ("place-" + "0123456789abcdef" * 2)
    stray.parent.mkdir(exist_ok=True)  # the store removes folders without a key
    stray.write_bytes(b"stray")
    return stray


def test_an_upload_under_way_is_no_stray(fresh_server, rng):
    """The sweeper runs each second here and asks for no age."""
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()
    data = rng.randbytes(12 * MIB)
    with begin(demo, image["id"], len(data)) as connection:
        connection.send(data[:-1])
        harness.wait_until(lambda: server.stored_bytes() >= 10 * MIB, what="two parts")
        # A stray put in now is gone after the next sweep; the upload must not be.
        stray = put_stray(server.store)
        other = stray.with_name("place-of-another-kind")
        other.write_bytes(b"not ours")
        harness.wait_until(lambda: not stray.exists(), what="a sweep")
        connection.send(data[-1:])
        assert connection.answer().status == 204
    assert demo.download(image["id"]).body == data
    assert other.exists()


def test_a_store_that_ends_in_mid_upload_is_503(own, gateway, rng):
    demo = own.client("demo")
    image = demo.create_image()
    data = rng.randbytes(40 * MIB)
    with begin(demo, image["id"], len(data)) as connection:
        connection.send(data[:12 * MIB])
        harness.wait_until(lambda: own.stored_bytes() >= 5 * MIB, what="a part")
        gateway.kill()
        answer = send_until_refused(connection, data[12 * MIB:])
    assert (answer.status, "image store" in answer.text) == (503, True), answer
    status_is(demo, image["id"], "queued")
    assert demo.show(image["id"])["size"] is None
    harness.wait_until(lambda: ready(own).status == 503, what="readiness to tell")
    assert "The image store does not answer." in ready(own).text
    gateway.start()
    harness.wait_until(lambda: ready(own).status == 200, what="readiness")
    harness.wait_until(lambda: own.store.files() == [], 30, "the parts to go")
    demo.upload(image["id"], data).expect(204)
    assert demo.download(image["id"]).body == data


def test_a_store_that_is_out_is_503_and_comes_back(own, gateway):
    demo = own.client("demo")
    image = demo.create_image(b"kept")
    gateway.kill()
    waiting = demo.create_image()
    assert "image store" in demo.upload(waiting["id"], b"some").expect(503).text
    status_is(demo, waiting["id"], "queued")
    demo.download(image["id"]).expect(503)
    assert demo.show(image["id"])["status"] == "active"
    gateway.start()
    assert demo.download(image["id"]).expect(200).body == b"kept"
    demo.upload(waiting["id"], b"some").expect(204)


def test_a_store_that_hangs_is_503_in_time(gateway, fresh_server, tmp_path):
    server = fresh_server(store=store.Store(tmp_path / "data0", (gateway.url, gateway.root)),
                          environment={"VITRINE_S3_TIMEOUT_SECONDS": "1"})
    demo = server.client("demo")
    image = demo.create_image()
    gateway.pause()
    try:
        demo.upload(image["id"], b"some").expect(503)
        assert demo.show(image["id"])["status"] == "queued"
    finally:
        gateway.resume()
    demo.upload(image["id"], b"some").expect(204)


def test_a_killed_server_leaves_no_parts(fresh_server, rng):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()
    with begin(demo, image["id"], 40 * MIB) as connection:
        connection.send(rng.randbytes(12 * MIB))
        harness.wait_until(lambda: server.stored_bytes() >= 10 * MIB, what="two parts")
        server.kill()
    server.start()
    demo = server.client("demo")
    assert demo.show(image["id"])["status"] == "queued"
    harness.wait_until(lambda: server.store.files() == [], 30, "the parts to go")
    demo.upload(image["id"], b"again").expect(204)


@pytest.mark.skipif(database.ENGINE != "postgres", reason="of servers that share a database")
def test_another_server_leaves_uploads_alone(fresh_server, rng):
    """Neither its start nor its sweeper ends what this one stores."""
    first = fresh_server()
    demo = first.client("demo")
    image = demo.create_image()
    data = rng.randbytes(12 * MIB)
    with begin(demo, image["id"], len(data)) as connection:
        connection.send(data[:-1])
        harness.wait_until(lambda: first.stored_bytes() >= 10 * MIB, what="two parts")
        second = fresh_server(environment=first.environment, store=first.store)
        for _ in range(3):  # whichever server it is that removes them
            stray = put_stray(first.store)
            harness.wait_until(lambda stray=stray: not stray.exists(), what="a sweep")
        assert demo.show(image["id"])["status"] == "saving"
        connection.send(data[-1:])
        assert connection.answer().status == 204
    there = second.client()
    there.token = demo.token
    assert there.download(image["id"]).expect(200).body == data
    assert second.stop() == 0  # before its database goes


def test_a_download_that_loses_its_store_is_cut(own, gateway, rng):
    """Never a whole answer with other bytes."""
    demo = own.client("demo")
    data = rng.randbytes(64 * MIB)
    image = demo.create_image(data)
    with demo.raw(60) as connection:
        connection.send(demo.head_lines("GET", f"/v2/images/{image['id']}/file"))
        connection.socket.recv(1, socket.MSG_PEEK)
        gateway.kill()
        own.store_is_spoilt = True
        answer = connection.answer()
    assert answer.headers["Content-Length"] == str(len(data))
    assert len(answer.body) < len(data)
    assert data.startswith(answer.body)


def test_wrong_keys_are_told_to_the_operator_and_can_be_changed(fresh_server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    server = fresh_server(environment={"VITRINE_S3_SECRET_KEY": "",
                                       "VITRINE_S3_SECRET_KEY_FILE": str(secret)})
    demo = server.client("demo")
    assert ready(server).status == 503
    image = demo.create_image()
    refused = demo.upload(image["id"], b"some").expect(503)
    assert "hunter2" not in refused.text + server.log()
    assert "SignatureDoesNotMatch" in server.log()
    secret.write_text(s3.SECRET_KEY + "\n")
    demo.upload(image["id"], b"some").expect(204)
    harness.wait_until(lambda: ready(server).status == 200, what="readiness")
    assert demo.download(image["id"]).body == b"some"
    assert s3.SECRET_KEY not in server.log()


def test_a_bucket_that_is_not_there_is_503(fresh_server):
    server = fresh_server(environment={"VITRINE_S3_BUCKET": "no-such-bucket"})
    server.store_is_spoilt = True
    demo = server.client("demo")
    demo.upload(demo.create_image()["id"], b"some").expect(503)
    assert ready(server).status == 503
    assert "NoSuchBucket" in server.log()


def test_check_config_names_what_is_missing(tmp_path):
    path = tmp_path / "vitrine.toml"
    path.write_text('[storage]\ndriver = "s3"\n[s3]\nbucket = "Images"\n')
    checked = subprocess.run([str(harness.BINARY), "check-config", str(path)], check=False,
                             capture_output=True, text=True)
    assert checked.returncode == 1
    assert f"{path}:4: s3.bucket: must have 3 to 63 of a-z 0-9 . -" in checked.stderr
    path.write_text('[storage]\ndriver = "s3"\n[s3]\nbucket = "images"\naccess_key = "a"\n')
    checked = subprocess.run([str(harness.BINARY), "check-config", str(path)], check=False,
                             capture_output=True, text=True)
    assert f"{path}:2: storage.driver: s3 needs s3.endpoint" in checked.stderr
    assert "s3 needs either s3.secret_key or s3.secret_key_file" in checked.stderr


@pytest.mark.heavy
def test_memory_does_not_grow_with_the_image(fresh_server):
    """1 GiB in and out; what is held is two parts, the blocks on their way and one read."""
    server = fresh_server()
    demo = server.client("demo")
    demo.create_image(b"x" * MIB)
    before = server.rss_bytes()
    peak = [before]
    block = os.urandom(MIB)

    def blocks():
        for index in range(1024):
            yield index.to_bytes(4, "big") + block[4:]
            if index % 32 == 0:
                peak[0] = max(peak[0], server.rss_bytes())

    image = demo.create_image()
    demo.upload(image["id"], blocks()).expect(204)
    assert demo.show(image["id"])["size"] == 1024 * MIB
    connection = http.client.HTTPConnection(*server.address)
    connection.request("GET", f"/v2/images/{image['id']}/file",
                       headers={"X-Auth-Token": demo.token})
    response = connection.getresponse()
    for index in range(1024):
        got = response.read(MIB)
        assert got[:4] == index.to_bytes(4, "big") and got[4:] == block[4:], index
        if index % 32 == 0:
            peak[0] = max(peak[0], server.rss_bytes())
    connection.close()
    assert peak[0] - before < 64 * MIB, [before, peak[0]]
    highest = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(
        f"/proc/{server.process.pid}/status").read_text())
    assert int(highest.group(1)) * 1024 - before < 64 * MIB


@pytest.fixture
def elsewhere(own, monkeypatch):
    """The server that stored something, ended, and set to another bucket."""
    demo = own.client("demo")
    image = demo.create_image(b"the data")["id"]
    assert own.stop() == 0
    other = own.store.folder.with_name("other-images")
    other.mkdir()
    right = own.environment["VITRINE_S3_BUCKET"]
    monkeypatch.setitem(own.environment, "VITRINE_S3_BUCKET", other.name)
    yield other, image
    assert list(other.iterdir()) == []
    own.stop()
    monkeypatch.setitem(own.environment, "VITRINE_S3_BUCKET", right)
    own.start()
    assert own.client("demo").download(image).expect(200).body == b"the data"


def test_no_server_starts_with_another_bucket(own, elsewhere):
    """It took all data for lost, and what was uploaded again in the place of it."""
    other, _ = elsewhere
    done = subprocess.run(own.command(), capture_output=True, text=True, check=False,
                          env={**os.environ, **own.environment}, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    place = f"bucket {other.name}, prefix 'some/place-'"
    assert done.stderr.startswith(
        f"vitrine: {place}: it has none of the image data that the database knows")


def test_another_bucket_is_found_out_once_the_store_answers(gateway, own, elsewhere):
    _, image = elsewhere
    gateway.kill()
    own.start()
    demo = own.client("demo")
    demo.download(image).expect(503)
    gateway.start()
    harness.wait_until(lambda: '"event":"store.misplaced"' in own.log(), 30, "a look at the place")
    demo.download(image).expect(503)
    assert demo.upload(demo.create_image()["id"], b"the data").status == 503
    assert ready(own).status == 503
