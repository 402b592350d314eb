"""`vitrine blobs check`: what is stored against what should be, in any store."""

import subprocess

import pytest

import harness
from keyring import new_key
from store import KIND
from test_encryption import encrypted


@pytest.fixture
def calm_server(fresh_server):
    """A server whose sweeper does not run between a fault and its finding."""
    return fresh_server(environment={"VITRINE_STORAGE_SWEEP_SECONDS": "3600",
                                     "VITRINE_STORAGE_STRAY_SECONDS": "3600"})


def test_it_finds_nothing_wrong_while_all_is_well(calm_server):
    server = calm_server
    demo = server.client("demo")
    assert server.check_blobs() == (0, ["0 blobs compared, 0 wrong"])
    demo.create_image(b"one")
    demo.create_image(b"one")
    demo.create_image(b"other")
    assert server.check_blobs() == (0, ["2 blobs compared, 0 wrong"])
    image = demo.create_image()
    with demo.raw() as connection:
        connection.send(demo.head_lines("PUT", f"/v2/images/{image['id']}/file",
                                        "Content-Type: application/octet-stream",
                                        "Content-Length: 20000000") + b"x" * 12_000_000)
        harness.wait_until(lambda: server.stored_bytes() > 100, what="some bytes in the store")
        assert server.check_blobs() == (0, ["2 blobs compared, 0 wrong"])


def test_it_names_what_is_missing_cut_or_too_much(calm_server):
    server = calm_server
    demo = server.client("demo")
    users = {data: f"image {demo.create_image(data)['id']} of project {demo.project_id}"
             for data in (b"gone", b"cut off", b"it stays")}
    files = {path.stat().st_size: path for path in server.store.files()}
    blobs = {size: path.name.removeprefix("place-") for size, path in files.items()}
    stray = "0123456789abcdef" * 2
    place = files[4].with_name(f"place-{stray}")
    if not server.store.in_bucket:
        place = server.store.folder / stray[:2] / stray
        place.parent.mkdir(exist_ok=True)  # a blob of the same first two digits may be there
    place.write_bytes(b"stray")
    files[7].write_bytes(b"cut")
    files[4].unlink()
    server.store_is_spoilt = True
    status, lines = server.check_blobs()
    assert status == 1
    assert sorted(lines) == sorted([
        f"missing: {blobs[4]}, 0 bytes stored, 4 expected, {users[b'gone']}",
        f"wrong size: {blobs[7]}, 3 bytes stored, 7 expected, {users[b'cut off']}",
        f"orphaned: {stray}, 5 bytes stored, 0 expected",
        "3 blobs compared, 3 wrong"])


@pytest.mark.skipif(KIND != "file", reason="one store is like the other here")
def test_it_names_the_first_images_that_have_the_data(calm_server):
    server = calm_server
    demo, alt = server.client("demo"), server.client("alt")
    images = sorted((one.create_image(b"data")["id"], one.project_id)
                    for one in (demo, alt, demo, alt, demo))
    key = new_key(server, "web", demo)
    sealed, _ = encrypted(demo, b"other data", key)
    for path in server.store.files():
        path.unlink()
    server.store_is_spoilt = True
    status, lines = server.check_blobs()
    assert status == 1
    named = {line.split(" expected, ")[1] for line in lines if " expected, " in line}
    assert len(lines) == 4
    assert ", ".join(f"image {image} of project {project}"
                     for image, project in images[:3]) + " and 2 more" in named
    assert f"image {sealed['id']} of project {demo.project_id}" in named


def test_a_wait_for_right_blobs_tells_why_they_could_not_be_looked_at(tmp_path):
    broken = tmp_path / "vitrine"
    broken.write_text("#!/bin/sh\necho 'no library of that name' >&2\nexit 127\n")
    broken.chmod(0o755)
    server = harness.Server(tmp_path / "data", binary=broken)
    with pytest.raises(AssertionError, match="no library of that name"):
        server.wait_for_right_blobs()


def test_it_makes_no_service(tmp_path):
    done = subprocess.run([str(harness.BINARY), "blobs", "check", "--standalone", str(tmp_path)],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "holds no service yet" in done.stderr
    assert list(tmp_path.iterdir()) == []
