"""A directory of image data whose volume is not mounted: an outage, and no loss (decision 0037)."""

import contextlib
import os
import subprocess

import pytest

import database
import harness
import store
from test_exports import ask, bucket

pytestmark = pytest.mark.skipif(store.KIND != "file", reason="of directories")
NO_MARK = "the image store has no mark; is its volume mounted?"


@contextlib.contextmanager
def unmounted(folder):
    """What lies below a volume is an empty directory, and nothing may be written there."""
    volume = folder.with_name(folder.name + "-volume")
    folder.rename(volume)
    folder.mkdir()
    try:
        yield
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()
        volume.rename(folder)


def refusal(folder, blobs):
    return (f"vitrine: {folder} should have {blobs} blobs and has none: mount the volume that they "
            "are on. If they are lost for good, make the directory with an empty file "
            "vitrine-store in it\n")


def start_refused(server):
    done = subprocess.run(server.command(), capture_output=True, text=True, check=False,
                          env={**os.environ, **server.environment}, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_volume_that_goes_away_is_an_outage(fresh_server):
    """Jobs ended as if the data were lost, and uploads went where nobody found them."""
    server = fresh_server()
    demo = server.client("demo")
    bucket(server, demo).mkdir(parents=True)
    image = demo.create_image(b"the data")["id"]
    other = demo.create_image()["id"]
    with unmounted(server.store.folder):
        demo.download(image).expect(503)
        demo.upload(other, b"other data").expect(503)
        assert demo.show(other)["status"] == "queued"
        harness.wait_until(lambda: demo.get("/healthcheck/ready").status == 503, what="a 503")
        assert NO_MARK in server.log()
        job = ask(demo, image, "disk", is_quick_export=True).expect(200).json()["job_id"]
        harness.wait_until(lambda: '"event":"job.handed_back"' in server.log(),
                           what="an attempt at the export")
        assert demo.job(job)["status"] == "RUNNING"
        status, lines = server.check_blobs()
        assert (status, lines) == (1, [refusal(server.store.folder, 1)])
    assert demo.wait_job(job)["status"] == "SUCCESS"
    assert (bucket(server, demo) / "disk").read_bytes() == b"the data"
    assert demo.download(image).expect(200).body == b"the data"
    demo.upload(other, b"other data").expect(204)


def test_no_server_starts_without_a_volume(fresh_server, tmp_path):
    further = tmp_path / "further"
    server = fresh_server(config=f'[store.fast]\ndirectory = "{further}"\n')
    demo = server.client("demo")
    image = demo.create_image(b"the data")["id"]
    fast = demo.create_image()["id"]
    demo.upload(fast, b"fast data", **{"X-Image-Meta-Store": "fast"}).expect(204)
    assert server.stop() == 0
    for folder in (server.store.folder, further):
        with unmounted(folder):
            assert start_refused(server) == refusal(folder, 1)
            assert server.check_blobs() == (1, [refusal(folder, 1)])
    server.start()
    demo = server.client("demo")
    assert demo.download(image).expect(200).body == b"the data"
    assert demo.download(fast).expect(200).body == b"fast data"


def test_a_directory_from_before_there_were_marks_goes_on(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image(b"the data")["id"]
    assert server.stop() == 0
    mark = server.store.folder / "vitrine-store"
    written = mark.read_text()
    assert len(written) == 32 and set(written) <= set("0123456789abcdef")
    mark.unlink()
    server.start()
    assert mark.read_text() == written
    assert server.client("demo").download(image).expect(200).body == b"the data"


def test_a_loss_for_good_is_told_by_a_mark(fresh_server):
    server = fresh_server()
    image = server.client("demo").create_image(b"the data")["id"]
    assert server.stop() == 0
    server.store_is_spoilt = True
    server.store.folder.rename(server.directory / "lost")
    assert start_refused(server) == refusal(server.store.folder, 1)
    server.store.folder.mkdir()
    (server.store.folder / "vitrine-store").touch()
    server.start()
    demo = server.client("demo")
    demo.download(image).expect(503)
    demo.upload(demo.create_image()["id"], b"new data").expect(204)


def lies_in(folder):
    return {path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(database.ENGINE != "sqlite", reason="changes the files of databases")
def test_a_directory_of_another_database_is_left_alone(fresh_server):
    """All that was in it went as nobody's."""
    mine, theirs = fresh_server(), fresh_server()
    for server in (mine, theirs):
        server.client("demo").create_image(b"of this one" + str(server.address).encode())
        assert server.stop() == 0
    own = [server.directory / "vitrine.db" for server in (mine, theirs)]
    kept = own[0].with_name("kept.db")
    own[0].rename(kept)
    own[0].write_bytes(own[1].read_bytes())
    before = lies_in(mine.store.folder)
    assert "belongs to another database" in start_refused(mine)
    assert "belongs to another database" in mine.check_blobs()[1][0]
    mark = mine.store.folder / "vitrine-store"
    mark.unlink()  # as those of an earlier release
    assert "none of the image data that the database knows" in start_refused(mine)
    own[0].unlink()  # and with no database at all
    assert "image data that the database does not know" in start_refused(mine)
    assert lies_in(mine.store.folder) == {
        name: data for name, data in before.items() if name.name != "vitrine-store"}
    kept.rename(own[0])
    mine.start()
    assert lies_in(mine.store.folder) == before
