"""The files of docs/examples for more than one machine, started on what they name: PostgreSQL,
Keystone, Barbican and the object store are real."""

import concurrent.futures
import re
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
from signing import Signed, make_key
from test_copy import copied
from test_quota_command import limits, quota

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


@pytest.fixture
def one_machine(tmp_path):
    """As its example says, with users of its own beside admin; it runs."""
    plain = {f"\n{key} =": f"\n# {key} =" for key in ("certificate_file", "key_file")}
    config = examples.place("one-machine.toml", tmp_path, plain)
    accounts = identity.Builtin(tmp_path / "var/lib/vitrine/clouds.yaml")
    with_users = harness.Server(tmp_path / "var/lib/vitrine", accounts=accounts)
    with_users.start()
    assert with_users.stop() == 0
    alone = examples.Installed(config, accounts)
    yield alone.start()
    alone.finish()


class Belongings:
    """What demo has, and alt of demo."""

    def __init__(self, server):
        self.demo, self.alt = server.client("demo"), server.client("alt")
        self.image = self.demo.create_image(b"moves along", tags=["old"])["id"]
        assert self.demo.share([self.image], [self.alt.project_id])["status"] == "SUCCESS"
        assert self.alt.answer_share([self.image])["status"] == "SUCCESS"
        self.job = self.demo.share([self.image], [self.alt.project_id])["job_id"]
        assert quota(server, "set", self.demo.project_id, "image", "7") == (0, "")

    def are_with(self, demo, alt, server):
        assert demo.show(self.image)["owner"] == demo.project_id
        assert demo.listed() == demo.listed("tag=old") == [self.image]
        assert demo.download(self.image).expect(200).body == b"moves along"
        assert demo.members(self.image) == {alt.project_id: "accepted"}
        assert demo.job(self.job)["status"] == "SUCCESS"
        assert alt.listed() == [self.image]
        assert alt.download(self.image).expect(200).body == b"moves along"
        assert demo.share([self.image], [alt.project_id])["status"] == "SUCCESS"
        assert limits(demo)["image"] == (1, 7)
        assert server.check_blobs() == (0, ["1 blobs compared, 0 wrong"])


def without_sections(config, *names):
    """The file without those sections, as the page says."""
    text = config.read_text()
    for name in names:
        text, count = re.subn(rf"^\[{name}\]\n(.+\n)+", "", text, flags=re.MULTILINE)
        assert count == 1, name
    config.write_text(text)


def test_one_machine_becomes_three_with_the_users_it_has(one_machine, names, guarded, tmp_path):
    belongings = Belongings(one_machine)
    tokens = {user.token for user in (belongings.demo, belongings.alt)}
    access_key = make_key(belongings.demo)
    assert one_machine.stop() == 0
    config = examples.place("three-machines.toml", tmp_path, names, SECRETS)
    without_sections(config, "identity", "keys")
    done = examples.run(examples.commands_of("From one machine to three")[0], tmp_path, guarded)
    assert done.returncode == 0, done.stderr
    moved = examples.Installed(config, one_machine.identity, guarded)
    moved.start()
    try:
        for user in (belongings.demo, belongings.alt):
            user.server = moved
            user.disconnect()
        belongings.are_with(belongings.demo, belongings.alt, moved)
        assert {user.token for user in (belongings.demo, belongings.alt)} == tokens
        belongings.are_with(moved.client("demo"), moved.client("alt"), moved)
        Signed(moved, access_key).get(f"/v2/images/{belongings.image}").expect(200)
    finally:
        moved.finish()


def test_one_machine_becomes_three_with_a_keystone(one_machine, names, guarded, clouds_file,
                                                   tmp_path):
    belongings = Belongings(one_machine)
    assert one_machine.stop() == 0
    config = examples.place("three-machines.toml", tmp_path, names, SECRETS)
    blind, move = examples.commands_of("From one machine to three")
    done = examples.run(blind, tmp_path, guarded)
    assert done.returncode == 1
    ids = {user: getattr(belongings, user).project_id for user in ("demo", "alt")}
    assert done.stderr.splitlines()[-3:] == [
        "vitrine: Keystone does not know the projects of the built-in identity, so that nobody "
        "would see their images: make 2 of them there, and give a file with a line OLD NEW for "
        "each as --projects, or keep the built-in identity:",
        f"  {ids['alt']}  alt", f"  {ids['demo']}  demo"]

    moved = examples.Installed(config, identity.Keystone(clouds_file), guarded)
    new = {user: moved.client(user).project_id for user in ids}  # Keystone tells it
    (tmp_path / "etc/vitrine/projects").write_text(
        "# old and new\n" + "".join(f"{ids[user]} {new[user]}\n" for user in ids))
    done = examples.run(move, tmp_path, guarded)
    assert done.returncode == 0, done.stderr
    for user in ids:
        assert f"project {ids[user]} is {new[user]} now\n" in done.stdout
    moved.start()
    try:
        demo, alt = moved.client("demo"), moved.client("alt")
        assert (demo.project_id, alt.project_id) == (new["demo"], new["alt"])
        belongings.are_with(demo, alt, moved)
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
                    if path.is_file() and path.stat().st_size
                    and path.name != "vitrine-store"] == [data]
        assert server.check_blobs() == (0, ["3 blobs compared, 0 wrong"])
    finally:
        server.finish()
