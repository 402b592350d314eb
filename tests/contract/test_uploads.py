"""Uploads that break, meet, are killed or pass a limit: what waits for bytes always ends (L8)."""

import threading

import pytest

import harness
import identity

CHUNK = b"0123456789abcdef" * 4096  # 64 KiB


def begin(client, image_id, *lines):
    """A connection on which an upload has begun; its bytes are still to be sent."""
    connection = client.raw()
    connection.send(client.head_lines("PUT", f"/v2/images/{image_id}/file",
                                      "Content-Type: application/octet-stream", *lines))
    return connection


def status_is(client, image_id, status):
    return harness.wait_until(lambda: client.show(image_id)["status"] == status,
                              what=f"status {status}")


@pytest.mark.parametrize("framing", ["Content-Length: 10485760", "Transfer-Encoding: chunked"])
def test_a_client_that_goes_away_leaves_the_image_queued(demo, framing):
    """UP-01"""
    image = demo.create_image()
    with begin(demo, image["id"], framing) as connection:
        frame = b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK) if "chunked" in framing else CHUNK
        connection.send(frame * 16)
        status_is(demo, image["id"], "saving")
    status_is(demo, image["id"], "queued")
    after = demo.show(image["id"])
    assert (after["size"], after["checksum"]) == (None, None)
    demo.upload(image["id"], b"second try").expect(204)
    assert demo.download(image["id"]).body == b"second try"


def test_a_cut_transfer_of_nothing_is_no_empty_image(demo):
    """UP-14"""
    image = demo.create_image()
    begin(demo, image["id"], "Content-Length: 100").close()
    status_is(demo, image["id"], "queued")
    assert demo.show(image["id"])["size"] is None


@identity.builtin_only  # of a Keystone, revocations are heard of later
def test_a_token_that_ends_during_an_upload_does_not_end_the_upload(server):
    """UP-08"""
    owner, other = server.client("demo"), server.client("demo")
    image = owner.create_image()
    with begin(owner, image["id"], "Content-Length: 5") as connection:
        connection.send(b"abc")
        status_is(other, image["id"], "saving")
        owner.delete("/v3/auth/tokens", headers={"X-Subject-Token": owner.token}).expect(204)
        connection.send(b"de")
        assert connection.answer().status == 204
    assert owner.get("/v2/images").status == 401
    assert other.download(image["id"]).body == b"abcde"


def test_a_failed_upload_tells_the_owner_why(demo):
    """UP-24: the image is still there and says what went wrong."""
    image = demo.create_image(disk_format="qcow2")
    demo.upload(image["id"], b"no qcow2 at all").expect(415)
    after = demo.show(image["id"])
    assert after["status"] == "queued"
    reasons = [value for name, value in after.items()
               if ("error" in name or "failed" in name) and isinstance(value, str) and value]
    assert reasons, after


def test_a_killed_server_comes_back_with_the_image_queued(fresh_server):
    """UP-03"""
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()
    connection = begin(demo, image["id"], "Content-Length: 10485760")
    connection.send(CHUNK * 120)  # more than a part of an object store
    status_is(demo, image["id"], "saving")
    harness.wait_until(lambda: server.stored_bytes() > 0, what="some bytes in the store")
    server.kill()
    connection.close()
    server.start()
    demo = server.client("demo")
    status_is(demo, image["id"], "queued")
    harness.wait_until(lambda: server.stored_bytes() == 0, 60, "the partial bytes to go")
    demo.upload(image["id"], b"again").expect(204)


def test_of_two_uploads_one_wins_at_once(demo):
    """UP-05: the second is refused before its data has been read."""
    image = demo.create_image()
    with begin(demo, image["id"], f"Content-Length: {len(CHUNK)}") as first:
        first.send(CHUNK[:-1])
        status_is(demo, image["id"], "saving")
        with begin(demo, image["id"], "Content-Length: 1073741824") as second:
            assert second.answer().status == 409
        first.send(CHUNK[-1:])
        assert first.answer().status == 204
    assert demo.show(image["id"])["checksum"] == harness.md5(CHUNK)


def test_a_deletion_ends_the_upload(fresh_server):
    """UP-06"""
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()
    with begin(demo, image["id"], f"Content-Length: {2 * len(CHUNK)}") as connection:
        connection.send(CHUNK)
        status_is(demo, image["id"], "saving")
        demo.delete(f"/v2/images/{image['id']}").expect(204)
        connection.send(CHUNK)
        assert connection.answer().status in (404, 409, 410)
    demo.get(f"/v2/images/{image['id']}").expect(404)
    harness.wait_until(lambda: server.stored_bytes() == 0, 60, "the store to be empty")
    rows = demo.get("/v1/cloudimages/quota").json()["quotas"]["resources"]
    assert rows[0]["used"] == 0


@pytest.mark.parametrize("size", [1, 7, 65536, 1048576])
def test_chunks_of_any_size(demo, size):
    """UP-12"""
    data = bytes(range(256)) * (16 if size < 100 else 8192)
    pieces = [data[index:index + size] for index in range(0, len(data), size)]
    image = demo.create_image()
    demo.upload(image["id"], iter(pieces)).expect(204)
    after = demo.show(image["id"])
    assert after["size"] == len(data)
    assert after["checksum"] == harness.md5(data)
    assert after["os_hash_value"] == harness.sha512(data)
    assert demo.download(image["id"]).body == data


def test_chunks_with_extensions_and_trailers(demo):
    """UP-12"""
    image = demo.create_image()
    with begin(demo, image["id"], "Transfer-Encoding: chunked") as connection:
        connection.send(b"3;x=y\r\nabc\r\n0;last\r\nX-Checksum: none\r\n\r\n")
        assert connection.answer().status == 204
    assert demo.show(image["id"])["size"] == 3


def test_the_size_cap_holds(fresh_server):
    """UP-18"""
    server = fresh_server(config="[images]\nsize_bytes_max = 1048576\n")
    demo = server.client("demo")
    image = demo.create_image()
    with begin(demo, image["id"], "Content-Length: 2097152") as connection:
        assert connection.answer().status == 413  # before a byte was sent
    with begin(demo, image["id"], "Transfer-Encoding: chunked") as connection:
        try:
            for _ in range(64):
                connection.send(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert connection.answer().status == 413
        except ConnectionResetError:
            pass
    status_is(demo, image["id"], "queued")
    harness.wait_until(lambda: server.stored_bytes() == 0, what="an empty store")
    demo.upload(image["id"], b"x" * 1048576).expect(204)


def test_changes_made_while_data_arrives_are_kept(demo):
    """L7"""
    image = demo.create_image()
    with begin(demo, image["id"], f"Content-Length: {len(CHUNK)}") as connection:
        connection.send(CHUNK[:-1])
        status_is(demo, image["id"], "saving")
        demo.patch(f"/v2/images/{image['id']}",
                   [{"op": "replace", "path": "/name", "value": "renamed"},
                    {"op": "add", "path": "/note", "value": "kept"}]).expect(200)
        demo.put(f"/v2/images/{image['id']}/tags/kept").expect(204)
        connection.send(CHUNK[-1:])
        assert connection.answer().status == 204
    after = demo.show(image["id"])
    assert (after["name"], after["note"], after["tags"]) == ("renamed", "kept", ["kept"])


def test_equal_content_is_stored_once(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    first = demo.create_image(CHUNK)
    second = alt.create_image(CHUNK)
    harness.wait_until(lambda: server.stored_bytes() == len(CHUNK), what="one copy")
    demo.delete(f"/v2/images/{first['id']}").expect(204)
    assert alt.download(second["id"]).body == CHUNK
    alt.delete(f"/v2/images/{second['id']}").expect(204)
    harness.wait_until(lambda: server.stored_bytes() == 0, what="the bytes to go")


@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_an_upload_heals_damaged_data(fresh_server, damage):
    """Equal bytes were thrown away because damaged ones had the name; both images stayed 503."""
    server = fresh_server(environment={"VITRINE_STORAGE_SWEEP_SECONDS": "3600"})
    demo, alt = server.client("demo"), server.client("alt")
    old = demo.create_image(CHUNK)
    [file] = server.store.files()
    if damage == "lost":
        file.unlink()
    else:
        file.write_bytes(CHUNK[:-1])
    demo.download(old["id"]).expect(503)
    new = alt.create_image(CHUNK)
    for client, image in ((demo, old), (alt, new)):
        assert client.download(image["id"]).expect(200).body == CHUNK
    assert server.stored_bytes() == len(CHUNK)
    assert '"event":"image_data.healed"' in server.log()
    alt.delete(f"/v2/images/{new['id']}").expect(204)
    assert demo.download(old["id"]).expect(200).body == CHUNK


def test_parallel_uploads_and_downloads(demo, rng):
    data = [rng.randbytes(300_000 + index) for index in range(12)]
    images = [demo.create_image() for _ in data]
    failures = []

    def both(image, content):
        try:
            demo.upload(image["id"], content).expect(204)
            assert demo.download(image["id"]).body == content
        except Exception as problem:  # shown by the assertion below
            failures.append(problem)

    threads = [threading.Thread(target=both, args=pair) for pair in zip(images, data)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
