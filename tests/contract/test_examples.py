"""docs/examples and docs/deploying.md: whole, and good to do as they say."""

import os
import re
import subprocess

import pytest

import database
import examples
import harness
import identity
import store
from keyring import new_key
from signing import Signed, make_key
from test_copy import copied
from test_imports import put, system


@pytest.mark.parametrize("name", sorted(path.name for path in examples.EXAMPLES.glob("*.toml")))
def test_an_example_is_in_order(tmp_path, name):
    config = examples.place(name, tmp_path)
    done = subprocess.run([str(harness.BINARY), "check-config", str(config)],
                          capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def of_one_machine(test):
    is_file = pytest.mark.skipif(store.KIND != "file", reason="of one machine")
    return database.sqlite_only(identity.builtin_only(is_file(test)))


@of_one_machine
def test_one_machine_starts(tmp_path):
    config = examples.place("one-machine.toml", tmp_path)
    server = examples.Installed(config, identity.Builtin(tmp_path / "var/lib/vitrine/clouds.yaml"))
    server.start()
    assert server.tls
    assert server.stop() == 0
    assert list(server.clouds()) == ["admin"]
    assert (tmp_path / "var/log/vitrine/vitrine.log").exists()


def test_the_service_of_systemd_is_in_order(tmp_path):
    """With the program where it is."""
    unit = (examples.EXAMPLES / "vitrine.service").read_text()
    assert "/usr/local/bin/vitrine " in unit
    path = tmp_path / "vitrine.service"
    path.write_text(unit.replace("/usr/local/bin/vitrine ", f"{harness.BINARY} "))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True,
                          text=True, check=False, timeout=60 * harness.PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


@of_one_machine
def test_a_backup_is_for_root_alone_and_restores_what_was(fresh_server, tmp_path):
    for folder in ("var/lib", "var/backups", "etc/vitrine"):
        (tmp_path / folder).mkdir(parents=True)
    directory = tmp_path / "var/lib/vitrine"
    (tmp_path / "etc/vitrine/vitrine.toml").write_text(f'[storage]\ndirectory = "{directory}"\n')
    backup, restore = examples.commands_of("Backup and restore")[:2]
    server = fresh_server(directory=directory)
    demo = server.client("demo")
    kept = demo.create_image(b"kept")["id"]
    access_key = make_key(demo)
    key = new_key(server, "web", demo)
    sealed = copied(demo, kept, cmk_id=key)["entities"]["image_id"]
    source = put(server, demo.project_id, "disk.raw", b"in a bucket")
    done = examples.run(backup, tmp_path)
    assert done.returncode == 0, done.stderr
    saved, saved_keys = (tmp_path / "var/backups" / name for name in ("vitrine", "vitrine-keys"))
    for folder in (saved, saved_keys):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (saved / "vitrine.db").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in saved_keys.iterdir()} == {"access-keys.key", "keyring"}
    assert not any((saved / name).exists() for name in ("access-keys.key", "keyring"))
    later = demo.create_image(b"later")["id"]
    put(server, demo.project_id, "disk.raw", b"changed since")
    assert server.stop() == 0
    done = examples.run(restore, tmp_path)
    assert (done.returncode, done.stdout) == (0, "2 blobs compared, 0 wrong\n"), done.stderr
    server.start()
    demo = server.client("demo")  # by its password
    assert sorted(demo.listed()) == sorted([kept, sealed])
    assert demo.download(kept).expect(200).body == b"kept"
    assert demo.download(sealed).expect(200).body == b"kept"
    assert Signed(server, access_key).get(f"/v2/images/{kept}").expect(200).json()["id"] == kept
    job = system(demo, source)
    assert job["status"] == "SUCCESS", job
    assert demo.download(job["entities"]["image_id"]).body == b"in a bucket"
    assert list((directory.with_name("vitrine.old") / "blobs").rglob("*")) != []
    assert demo.get(f"/v2/images/{later}").status == 404


@of_one_machine
def test_a_backup_needs_no_keys_and_buckets(fresh_server, tmp_path):
    for folder in ("var/lib", "var/backups"):
        (tmp_path / folder).mkdir(parents=True)
    fresh_server(directory=tmp_path / "var/lib/vitrine").client("demo").create_image(b"kept")
    done = examples.run(examples.commands_of("Backup and restore")[0], tmp_path)
    assert done.returncode == 0, done.stderr
    saved = tmp_path / "var/backups"
    assert {path.name for path in (saved / "vitrine").iterdir()} == {
        "vitrine.db", "blobs", "clouds.yaml"}
    assert list((saved / "vitrine-keys").iterdir()) == []


@pytest.mark.skipif(harness.SANITIZED, reason="sanitizers need libraries of their own")
def test_the_libraries_to_install_are_those_that_the_program_needs():
    listed = re.search(r"^    apt-get install ((?:.*\\\n)*.*)$",
                       (examples.DOCS / "deploying.md").read_text(), re.MULTILINE).group(1)
    needed = subprocess.run(["readelf", "-d", harness.BINARY], capture_output=True, text=True,
                            check=True).stdout
    packages = set()
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", needed):
        owners = subprocess.run(["dpkg", "-S", f"*-linux-gnu/{name}"], capture_output=True,
                                text=True, check=True).stdout
        packages |= {line.split(":")[0] for line in owners.splitlines()}
    listed = listed.replace("\\", "").split()
    assert sorted(packages - {"libc6", "libgcc-s1", "libstdc++6"}) == listed
