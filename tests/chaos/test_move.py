"""`vitrine db move`: from a directory into PostgreSQL and an object store, whole or not at all."""

import os
import shutil
import sqlite3
import subprocess

import database
import identity
import pytest
from parts import DATABASE

import harness
from keyring import new_key
from test_copy import copied
from test_imports import put


@pytest.fixture
def alone(tmp_path, rng):
    """A service of one directory with something of everything, stopped; what its users saw."""
    server = harness.Server(tmp_path / "data", config="[quota]\nimage = 50\n",
                            accounts=identity.Builtin(tmp_path / "data/clouds.yaml"))
    server.start()
    yield server
    server.finish()


def fill(server, rng):
    admin, demo, alt = (server.client(name) for name in ("admin", "demo", "alt"))
    big = rng.randbytes(11 << 20)
    images = [demo.create_image(data, hw_disk="scsi", tags=["a", "ü"], name=name)
              for name, data in [(None, b""), ("n", b"x"), ("n", b"x"), ("big", big)]]
    images.append(demo.create_image())
    images.append(admin.create_image(b"gold", visibility="public", quote="'\"\\ \u0001 €"))
    demo.delete(f"/v2/images/{images[2]['id']}").expect(204)
    ids = [image["id"] for image in images[:2] + images[3:4]]
    job = demo.share(ids, [alt.project_id])
    alt.answer_share(ids[:1])
    admin.post(f"/v2/images/{images[5]['id']}/actions/deactivate").expect(204)
    return demo, alt, ids, job


def move(server, environment, config, *options):
    return subprocess.run(
        command(server, config, *options), capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **environment})


def start_move(server, environment, config):
    return subprocess.Popen(command(server, config), stdout=subprocess.PIPE, text=True,
                            env={**os.environ, **environment})


def command(server, config, *options):
    return [str(harness.BINARY), "db", "move", "--standalone", str(server.directory),
            "--config", str(config), *map(str, options)]


def tables_of(server):
    """Every table but SQLite's own and those that each engine has for itself: columns and rows."""
    connection = sqlite3.connect(server.directory / "vitrine.db")
    try:
        names = [name for [name] in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND name NOT IN ('migrations', 'write_probe')")]
        tables = {}
        for name in names:
            rows = connection.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in rows.description]
            tables[name] = columns, sorted(
                tuple("" if value is None else str(value) for value in row) for row in rows)
        return tables
    finally:
        connection.close()


def moved_rows(environment, name, columns):
    return sorted(database.psql(environment["VITRINE_DATABASE_URL"],
                                        f"SELECT {', '.join(columns)} FROM {name}"))


def not_as_stored(where, count, blobs, *lines):
    return (f"vitrine: {where}: {count} of {blobs} blobs are not there as they were stored; put "
            "them back, or delete their images:\n" + "".join(f"  {line}\n" for line in lines))


def rows_in(cluster):
    """The tables of the new database that have rows, beside those that each engine has itself."""
    names = [name for [name] in cluster.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND "
        "table_name NOT IN ('migrations', 'write_probe')", database=DATABASE)]
    return [name for name in names
            if cluster.sql(f"SELECT 1 FROM {name} LIMIT 1", database=DATABASE)]


def make_schema(environment):
    subprocess.run([str(harness.BINARY), "db", "upgrade"], check=True, capture_output=True,
                   env={**os.environ, **environment})


def seen_by(client):
    """All that one user sees: documents, members, data."""
    page = client.get("/v2/images?limit=100&os_hidden=false").expect(200).json()["images"]
    assert page
    return [(image, client.get(f"/v2/images/{image['id']}/members").body,
             client.download(image["id"]).body) for image in page]


def test_a_service_moves_whole(alone, shared_parts, tmp_path, rng):
    demo, alt, ids, job = fill(alone, rng)
    before = seen_by(demo), seen_by(alt), demo.job(job["job_id"])
    config = tmp_path / "moved.toml"
    config.write_text("[quota]\nimage = 50\n")

    running = move(alone, shared_parts, config)
    assert (running.returncode, running.stdout) == (1, "")
    assert "another server works on" in running.stderr
    assert alone.stop() == 0
    tables = tables_of(alone)

    done = move(alone, shared_parts, config)
    assert done.stderr == ""
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == (f"image data: 4 blobs, {5 + (11 << 20)} bytes copied, "
                        "read back and compared")
    for name, (columns, rows) in tables.items():
        assert f"{name}: {len(rows)} rows copied, read back and compared" in lines
        assert moved_rows(shared_parts, name, columns) == rows, name
    assert len(tables["images"][1]) == 5 and len(tables["image_members"][1]) == 3

    again = move(alone, shared_parts, config)
    assert again.returncode == 1
    assert "the database holds rows already" in again.stderr

    # The same users, with the tokens they have, on a server that has nothing but the new places.
    moved = harness.Server(tmp_path / "replica", environment=shared_parts, accounts=alone.identity)
    moved.start()
    try:
        for client in (demo, alt):
            client.server = moved
            client.disconnect()
        assert (seen_by(demo), seen_by(alt), demo.job(job["job_id"])) == before
        assert demo.share(ids[1:], [alt.project_id])["status"] == "SUCCESS"
        assert demo.unshare(ids, [alt.project_id])["status"] == "SUCCESS"
        assert moved.check_blobs() == (0, ["4 blobs compared, 0 wrong"])
    finally:
        moved.finish()


@pytest.mark.parametrize("fault", ["damaged", "missing"])
def test_what_cannot_be_proven_does_not_move(alone, shared_parts, tmp_path, fault, rng):
    fill(alone, rng)
    assert alone.stop() == 0
    config = tmp_path / "moved.toml"
    config.write_text("")
    victim = next(path for path in alone.store.files() if path.stat().st_size == 4)
    if fault == "damaged":
        victim.write_bytes(b"gelb")
    else:
        victim.rename(tmp_path / "kept")

    done = move(alone, shared_parts, config)
    assert done.returncode == 1
    why = "not what the database says" if fault == "damaged" else "missing"
    assert done.stderr == f"vitrine: blob {victim.name} is {why}; nothing of it was copied\n"
    assert moved_rows(shared_parts, "images", ["id"]) == []

    victim.write_bytes(b"gold")
    done = move(alone, shared_parts, config)
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(moved_rows(shared_parts, "images", ["id"])) == 5


# Who reads back rows of this table waits for a lock.
GATE = """
CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN true; END $$;
CREATE POLICY reads ON users FOR SELECT USING (gate());
CREATE POLICY writes ON users FOR INSERT WITH CHECK (true);
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
"""


def test_a_move_that_is_killed_while_it_compares_leaves_nothing(alone, cluster, shared_parts,
                                                                tmp_path, rng):
    fill(alone, rng)
    assert alone.stop() == 0
    config = tmp_path / "moved.toml"
    config.write_text("")
    make_schema(shared_parts)
    cluster.sql(GATE, database=DATABASE)
    with subprocess.Popen(
            ["psql", shared_parts["VITRINE_DATABASE_URL"], "-XqAt"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True) as holder:
        holder.stdin.write("SELECT pg_advisory_lock(7);\n\\echo held\n")
        holder.stdin.flush()
        assert [holder.stdout.readline() for _ in range(2)] == ["\n", "held\n"]
        moving = start_move(alone, shared_parts, config)
        harness.wait_until(lambda: cluster.sql(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"),
            what="a move that compares")
        moving.kill()
        assert moving.communicate()[0] == (
            f"image data: 4 blobs, {5 + (11 << 20)} bytes copied, read back and compared\n")
        holder.stdin.close()
    cluster.sql("DROP POLICY reads ON users; DROP POLICY writes ON users; "
                "ALTER TABLE users DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
                database=DATABASE)  # waits for the end of what was killed
    assert rows_in(cluster) == []
    done = move(alone, shared_parts, config)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(moved_rows(shared_parts, "images", ["id"])) == 5


def test_rows_that_are_read_back_otherwise_do_not_stay(alone, cluster, shared_parts, tmp_path, rng):
    fill(alone, rng)
    assert alone.stop() == 0
    config = tmp_path / "moved.toml"
    config.write_text("")
    make_schema(shared_parts)
    cluster.sql("CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.description := 'other'; RETURN NEW; END $$; CREATE TRIGGER other "
                "BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION other()", database=DATABASE)
    count = len(tables_of(alone)["users"][1])
    done = move(alone, shared_parts, config)
    assert (done.returncode, done.stderr) == (
        1, f"vitrine: users: {count} rows were copied, {count} others were read back\n")
    assert rows_in(cluster) == []
    cluster.sql("DROP TRIGGER other ON users", database=DATABASE)
    done = move(alone, shared_parts, config)
    assert (done.returncode, done.stderr) == (0, "")


def test_data_that_stays_is_looked_at(alone, cluster, shared_parts, tmp_path):
    demo = alone.client("demo")
    for number in range(12):
        demo.create_image(b"stays, no. %d" % number)
    assert alone.stop() == 0
    # Rows alone move; the directory is that of the new configuration, too.
    parts = {"VITRINE_DATABASE_URL": shared_parts["VITRINE_DATABASE_URL"],
             "VITRINE_STORAGE_DIRECTORY": str(alone.directory)}
    config = tmp_path / "moved.toml"
    config.write_text("")
    blobs = alone.directory / "blobs"
    kept = {path: path.read_bytes() for path in alone.store.files()}
    assert len(kept) == 12
    names = sorted(path.name for path in kept)
    for path in kept:
        path.unlink()
    wrong = [f"{name} is missing" for name in names]
    assert move(alone, parts, config).stderr == not_as_stored(
        blobs, 12, 12, *wrong[:10], "and 2 more, which `vitrine blobs check` names")
    for path, data in kept.items():
        path.write_bytes(data)
    last = next(path for path in kept if path.name == names[-1])
    last.write_bytes(b"cut")
    size = len(kept[last])
    assert move(alone, parts, config).stderr == not_as_stored(
        blobs, 1, 12, f"{last.name} has 3 bytes, not {size}")
    assert rows_in(cluster) == []
    last.write_bytes(kept[last])
    done = move(alone, parts, config)
    assert (done.returncode, done.stderr) == (0, "")
    total = sum(map(len, kept.values()))
    assert done.stdout.startswith(
        f"image data: 12 blobs, {total} bytes stay in {alone.directory}, each there with its "
        "size\n")


def test_what_lies_in_a_further_store_stays_there(shared_parts, tmp_path):
    section = f'[store.fast]\ndirectory = "{tmp_path / "fast"}"\n'
    alone = harness.Server(tmp_path / "data", config=section,
                           accounts=identity.Builtin(tmp_path / "data/clouds.yaml"))
    alone.start()
    demo = alone.client("demo")
    demo.create_image(b"moves")
    image = demo.create_image()["id"]
    fast = {"X-Image-Meta-Store": "fast"}
    demo.upload(image, b"it stays", **fast).expect(204)
    for i in range(39):  # more than are looked at side by side
        demo.upload(demo.create_image()["id"], b"so does no. %d" % i, **fast).expect(204)
    assert alone.stop() == 0
    config = tmp_path / "moved.toml"
    config.write_text("")
    done = move(alone, shared_parts, config)
    assert done.returncode == 1
    assert done.stderr == ("vitrine: 40 blobs are in the store 'fast', of which the configuration "
                           "has no section [store.fast]\n")
    [blob] = (path for path in (tmp_path / "fast").rglob("*") if path.stat().st_size == 8)
    elsewhere = tmp_path / "elsewhere"
    config.write_text(section.replace(str(tmp_path / "fast"), str(elsewhere)))
    assert move(alone, shared_parts, config).stderr == (
        "vitrine: section [store.fast] leads to a place that has none of the 40 blobs of the "
        "store\n")
    config.write_text(section)
    blob.write_bytes(b"it stay")
    assert move(alone, shared_parts, config).stderr == not_as_stored(
        "store fast", 1, 40, f"{blob.name} has 7 bytes, not 8")
    blob.rename(tmp_path / "kept")
    assert move(alone, shared_parts, config).stderr == not_as_stored(
        "store fast", 1, 40, f"{blob.name} is missing")
    blob.write_bytes(b"it stays")
    assert moved_rows(shared_parts, "images", ["id"]) == []
    done = move(alone, shared_parts, config)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("image data: 1 blobs, 5 bytes copied, read back and compared\n")
    moved = harness.Server(tmp_path / "replica", config=section, environment=shared_parts,
                           accounts=alone.identity)
    moved.start()
    try:
        demo.server = moved
        demo.disconnect()
        assert demo.show(image)["stores"] == "fast"
        assert demo.download(image).expect(200).body == b"it stays"
    finally:
        moved.finish()
        alone.finish()


def test_no_server_begins_anew_beside_what_was_to_move(shared_parts, cluster, alone, tmp_path):
    image = alone.client("demo").create_image(b"stays")["id"]
    assert alone.stop() == 0
    parts = {"VITRINE_DATABASE_URL": shared_parts["VITRINE_DATABASE_URL"],
             "VITRINE_STORAGE_DIRECTORY": str(alone.directory)}
    early = subprocess.run(
        [str(harness.BINARY), "serve", "--listen", "127.0.0.1:0"], capture_output=True, text=True,
        check=False, timeout=60 * harness.PATIENCE, env={**os.environ, **parts})
    assert (early.returncode, early.stdout) == (1, "")
    assert early.stderr.splitlines()[-1] == (
        f"vitrine: {alone.directory} holds a service, and the database is empty: `vitrine db move "
        f"--standalone {alone.directory}` carries it there; to begin anew, take "
        f"{alone.directory}/vitrine.db away")
    assert rows_in(cluster) == []
    config = tmp_path / "moved.toml"
    config.write_text("")
    done = move(alone, parts, config)
    assert (done.returncode, done.stderr) == (0, "")
    alone.environment.update(parts)
    alone.start()
    assert alone.client("demo").download(image).expect(200).body == b"stays"


KEYSTONE = """
[identity]
driver = "keystone"
auth_url = "http://keystone.example.org:5000"
username = "vitrine"
password = "secret"
project = "service"
"""


def test_a_file_of_projects_is_whole_and_unmistakable(alone, cluster, shared_parts, tmp_path):
    demo = alone.client("demo").project_id
    image = alone.client("demo").create_image(b"of demo")["id"]
    assert alone.stop() == 0
    config, projects = tmp_path / "moved.toml", tmp_path / "projects"
    config.write_text(KEYSTONE)
    new, other = "0b9d1f7c3e5a4f6f8a1b2c3d4e5f6071", "1" * 32

    def refused(text):
        projects.write_text(text)
        done = move(alone, shared_parts, config, "--projects", projects)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr.removeprefix("vitrine: ").removesuffix("\n")

    form = "must be OLD NEW, the ids of one project, and OLD in no other line"
    for text in (f"# of demo\n{demo}\n", f"\n{demo} {new} demo\n",
                 f"{demo} {new}\n{demo} {other}\n"):
        assert refused(text) == f"{projects}:2: {form}"
    assert refused(f"{demo} demo\n") == f"{projects}: 'demo' is not the id of a project of Keystone"
    for text in (f"{demo} {new}\n{other} {new}\n", f"{demo} {new}\n{new} {other}\n"):
        assert refused(text) == (
            f"{projects}: {new} is named twice: two projects cannot become one")
    assert refused(f"{other} {new}\n").endswith(
        f"or keep the built-in identity:\n  {demo}  demo")
    config.write_text("")
    assert refused(f"{demo} {new}\n") == (
        "--projects is for a move to a Keystone: projects of the built-in identity keep their ids")
    missing = move(alone, shared_parts, config, "--projects", tmp_path / "none")
    assert missing.stderr == f"vitrine: cannot read {tmp_path}/none: No such file or directory\n"
    assert rows_in(cluster) == []

    # One project alone must be told of: others have nothing. A comment may follow a line.
    config.write_text(KEYSTONE)
    projects.write_text(f"{demo} {new} # demo\n")
    done = move(alone, shared_parts, config, "--projects", projects)
    assert (done.returncode, done.stderr) == (0, "")
    assert moved_rows(shared_parts, "images", ["id", "owner"]) == [(image, new)]


def test_two_projects_do_not_become_one(alone, cluster, shared_parts, tmp_path):
    demo, taken = alone.client("demo"), "0b9d1f7c3e5a4f6f8a1b2c3d4e5f6071"
    image = demo.create_image(b"of demo")["id"]
    assert image and alone.stop() == 0
    alone.database.rows("INSERT INTO quotas VALUES (?, 'image', 3)", taken)
    config, projects = tmp_path / "moved.toml", tmp_path / "projects"
    config.write_text(KEYSTONE)
    projects.write_text(f"{demo.project_id} {taken}\n")
    done = move(alone, shared_parts, config, "--projects", projects)
    assert (done.returncode, done.stderr) == (
        1, f"vitrine: the project {taken} stands in quotas already: two projects cannot become "
        "one\n")
    assert rows_in(cluster) == []


def test_keys_of_images_must_be_where_the_move_leads(alone, cluster, shared_parts, tmp_path):
    demo = alone.client("demo")
    key = new_key(alone, "web", demo)
    image = demo.create_image(b"sealed")["id"]
    sealed = copied(demo, image, cmk_id=key)["entities"]["image_id"]
    own = copied(demo, image, cmk_id="ims/default")["entities"]["image_id"]
    [[default]] = alone.database.rows("SELECT key_id FROM image_keys WHERE image_id = ?", own)
    assert alone.stop() == 0
    config, elsewhere = tmp_path / "moved.toml", tmp_path / "keyring"
    config.write_text("")
    lines = "".join(f"  {one} of 1 images\n" for one in sorted([key, default]))
    told = ("vitrine: images are encrypted with keys that the new configuration has not: name "
            "their keyring with keys.file, or make plain copies of the images and delete them:\n"
            + lines)
    assert move(alone, shared_parts, config).stderr == told
    config.write_text(f'[keys]\nfile = "{elsewhere}"\n' + KEYSTONE)
    projects = tmp_path / "projects"
    new = "0b9d1f7c3e5a4f6f8a1b2c3d4e5f6071"
    projects.write_text(f"{demo.project_id} {new}\n")
    assert move(alone, shared_parts, config, "--projects", projects).stderr == told
    assert rows_in(cluster) == []
    shutil.copy(alone.directory / "keyring", elsewhere)
    done = move(alone, shared_parts, config, "--projects", projects)
    assert (done.returncode, done.stderr) == (0, "")
    assert (key, new) in moved_rows(shared_parts, "key_grants", ["key_id", "grantee"])
    assert moved_rows(shared_parts, "images", ["id", "owner"]) == sorted(
        (one, new) for one in (image, sealed, own))


@pytest.mark.parametrize("staying", ["users", "buckets"])
def test_jobs_do_not_go_where_they_cannot_end(alone, cluster, shared_parts, tmp_path, staying):
    demo, alt = alone.client("demo"), alone.client("alt")
    image = demo.create_image(b"shared")["id"]
    job = demo.share([image], [alt.project_id])["job_id"]
    source = put(alone, demo.project_id, "disk.raw", b"in a bucket")
    assert source and alone.stop() == 0
    ended_at = alone.database.rows("SELECT ended_at FROM jobs WHERE id = ?", job)[0][0]
    alone.database.rows("UPDATE jobs SET ended_at = NULL WHERE id = ?", job)
    config, projects = tmp_path / "moved.toml", tmp_path / "projects"
    config.write_text(KEYSTONE if staying == "users" else "")
    projects.write_text(f"{demo.project_id} {'a' * 32}\n{alt.project_id} {'b' * 32}\n")
    options = ["--projects", projects] if staying == "users" else []
    what = ("the users that they are of" if staying == "users"
            else "the files in the buckets of the users")
    done = move(alone, shared_parts, config, *options)
    assert (done.returncode, done.stderr) == (
        1, f"vitrine: 1 jobs have not ended, and {what} stay behind: start the service again, and "
        "stop it when its metric vitrine_jobs_open is 0\n")
    assert rows_in(cluster) == []
    alone.database.rows("UPDATE jobs SET ended_at = ? WHERE id = ?", ended_at, job)
    done = move(alone, shared_parts, config, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2] == (
        f"buckets: the files in {alone.directory}/buckets stay there, and the new configuration "
        "does not look for them")


def test_a_place_to_move_to_is_needed(alone, tmp_path):
    assert alone.stop() == 0
    config = tmp_path / "moved.toml"
    config.write_text("")
    done = move(alone, {}, config)
    assert done.returncode == 1
    assert done.stderr == ("vitrine: database.url is empty: it names the PostgreSQL to move to\n")
