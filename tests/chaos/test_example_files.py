"""The files of docs/examples for more than one machine, started on what they name: PostgreSQL,
Keystone, Barbican and the object store are real."""

import concurrent.futures
import shutil
import uuid

import barbican
import examples
import keystone
import kit
import postgres
import pytest
import s3
from parts import DATABASE, STORE

import harness
import identity
from keyring import new_key
from test_copy import copied

PASSWORD = "of-the-database"
SECRETS = {"s3-access-key": s3.ACCESS_KEY, "s3-secret-key": s3.SECRET_KEY,
           "keystone-password": keystone.PASSWORD}
# The gateway takes its own region only, a Ceph any.
REGION = "us-east-1" if STORE is s3 else "default"


@pytest.fixture
def guarded(cluster, tmp_path):
    """The cluster lets the service in by TLS and with its password only; what a server of it needs
    in its environment."""
    certificate, key = (cluster.data / name for name in ("server.crt", "server.key"))
    examples.make_certificate(certificate, key, "localhost")
    for path in (certificate, key):
        path.chmod(0o600)
        if postgres.OWNER:
            shutil.chown(path, postgres.OWNER)
    rules = cluster.data / "pg_hba.conf"
    rules.write_text(f"hostssl {DATABASE} vitrine all scram-sha-256\n"
                     f"host {DATABASE} vitrine all reject\n" + rules.read_text())
    cluster.sql(f"ALTER ROLE vitrine PASSWORD '{PASSWORD}'", user="postgres")
    cluster.sql("ALTER SYSTEM SET ssl = on", user="postgres")
    cluster.sql("SELECT pg_reload_conf()", user="postgres")
    harness.wait_until(lambda: cluster.sql("SHOW ssl") == [["on"]], what="TLS of the database")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:{DATABASE}:vitrine:{PASSWORD}\n")
    passwords.chmod(0o600)
    return {"PGPASSFILE": str(passwords),
            "PGSSLROOTCERT": str(shutil.copy(certificate, tmp_path / "root.crt"))}


@pytest.fixture(scope="module")
def keys_url(clouds_file):
    with barbican.running(clouds_file) as keys:
        yield keys.url


@pytest.fixture
def names(cluster, object_store, clouds_file, keys_url):
    """What stands for the names of three-machines.toml. One host of the database is down."""
    hosts = [f"localhost:{port}" for port in (kit.free_port(), cluster.port)]
    auth_url = identity.Keystone(clouds_file).environment["VITRINE_IDENTITY_AUTH_URL"]
    return {"db1.example.org,db2.example.org": ",".join(hosts),
            "https://objects.example.org": object_store.url,
            'region = "eu-de"': f'region = "{REGION}"',
            "https://keystone.example.org:5000": auth_url.removesuffix("/v3"),
            "https://keys.example.org:9311": keys_url}


@pytest.fixture
def machines(names, guarded, clouds_file, tmp_path):
    """Three of them, not started."""
    made = [examples.Installed(
        examples.place("three-machines.toml", tmp_path / f"machine{n}", names, SECRETS),
        identity.Keystone(clouds_file), guarded) for n in range(3)]
    yield made
    for machine in made:
        machine.finish()


def test_three_machines_work_as_one(machines, cluster, tmp_path):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: machine.start(), machines))
    first, second, third = machines
    demo, alt = first.client("demo"), second.client("alt")
    data = b"seen by all of them" * 1000
    image = demo.create_image(data)["id"]
    for machine in machines:
        machine.client().get("/healthcheck/ready").expect(200)
        assert machine.client("demo").download(image).expect(200).body == data
    assert third.client("demo").share([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.answer_share([image])["status"] == "SUCCESS"
    assert third.client("alt").listed() == [image]

    key = new_key(second, uuid.uuid4().hex, demo)
    job = copied(demo, image, cmk_id=key)
    assert job["status"] == "SUCCESS", job
    assert second.client("demo").download(job["entities"]["image_id"]).body == data

    trails = [tmp_path / f"machine{n}/var/log/vitrine/audit.jsonl" for n in range(3)]
    harness.wait_until(lambda: image in "".join(
        trail.read_text() for trail in trails if trail.exists()), what="an audit event")
    assert first.check_blobs() == (0, ["2 blobs compared, 0 wrong"])
    assert cluster.sql("SELECT COUNT(*) FROM images", user="postgres", database=DATABASE) == [["2"]]
    for secret in (PASSWORD, s3.SECRET_KEY, keystone.PASSWORD):
        for machine in machines:
            assert secret not in machine.log()


def test_one_machine_becomes_three(names, guarded, clouds_file, tmp_path):
    plain = {f"\n{key} =": f"\n# {key} =" for key in ("certificate_file", "key_file")}
    alone = examples.Installed(examples.place("one-machine.toml", tmp_path, plain),
                               identity.Builtin(tmp_path / "var/lib/vitrine/clouds.yaml"))
    alone.start()
    image = alone.client("admin").create_image(b"moves along")["id"]
    assert alone.stop() == 0
    config = examples.place("three-machines.toml", tmp_path, names, SECRETS)
    [move] = examples.commands_of("From one machine to three")
    done = examples.run(move, tmp_path, guarded)
    assert done.returncode == 0, done.stderr
    moved = examples.Installed(config, identity.Keystone(clouds_file), guarded)
    moved.start()
    try:
        assert moved.client("admin").download(image).expect(200).body == b"moves along"
        assert moved.check_blobs() == (0, ["1 blobs compared, 0 wrong"])
    finally:
        moved.finish()


def test_a_dump_of_the_rows_restores_them(machines, cluster, tmp_path):
    machine = machines[0].start()
    demo = machine.client("demo")
    kept = demo.create_image(b"kept")["id"]
    dump, restore = (block.replace("db1.example.org", f"localhost:{cluster.port}")
                     for block in examples.commands_of("Backup and restore")[2:])
    done = examples.run(dump, machine.root, machine.environment)
    assert done.returncode == 0, done.stderr
    later = demo.create_image(b"later")["id"]
    assert machine.stop() == 0
    cluster.sql(f"DROP DATABASE {DATABASE}", user="postgres")
    cluster.sql(f"CREATE DATABASE {DATABASE} OWNER vitrine", user="postgres")
    done = examples.run(restore, machine.root, machine.environment)
    assert done.returncode == 0, done.stderr
    machine.start()
    demo = machine.client("demo")
    assert demo.listed() == [kept]
    assert demo.download(kept).expect(200).body == b"kept"
    demo.get(f"/v2/images/{later}").expect(404)
    machine.store_is_spoilt = True  # the bucket still has what the rows do not know any more
    status, [orphaned, last] = machine.check_blobs()
    assert status == 1 and orphaned.startswith("orphaned: ") and last.endswith(" 1 wrong")


def test_one_machine_in_front_of_a_ceph(object_store, tmp_path):
    config = examples.place("ceph-rgw.toml", tmp_path, {
        "http://rgw.example.org:7480": object_store.url,
        'region = "default"': f'region = "{REGION}"'}, SECRETS)
    server = examples.Installed(config, identity.Builtin(tmp_path / "var/lib/vitrine/clouds.yaml"))
    server.start()
    try:
        admin = server.client("admin")
        image = admin.create_image(b"data of an image")
        assert admin.download(image["id"]).expect(200).body == b"data of an image"
        assert server.check_blobs() == (0, ["1 blobs compared, 0 wrong"])
        assert not (tmp_path / "var/lib/vitrine/blobs").exists()
    finally:
        server.finish()


def test_several_stores(object_store, tmp_path):
    config = examples.place("several-stores.toml", tmp_path, {
        "https://objects.example.org": object_store.url}, SECRETS)
    server = examples.Installed(config, identity.Builtin(tmp_path / "var/lib/vitrine/clouds.yaml"))
    server.start()
    try:
        admin = server.client("admin")
        image = admin.create_image(b"in the object store")["id"]
        assert admin.show(image)["stores"] == "objects"
        for name, folder in (("local", server.directory / "blobs"),
                             ("archive", tmp_path / "srv/archive/images")):
            image = admin.create_image()["id"]
            data = f"data in {name}".encode()
            admin.upload(image, data, **{"X-Image-Meta-Store": name}).expect(204)
            assert admin.show(image)["stores"] == name
            assert admin.download(image).expect(200).body == data
            assert [path.read_bytes() for path in folder.rglob("*")
                    if path.is_file() and path.stat().st_size] == [data]
        assert server.check_blobs() == (0, ["3 blobs compared, 0 wrong"])
    finally:
        server.finish()
