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
    done = examples.run(backup, tmp_path)
    assert done.returncode == 0, done.stderr
    saved = tmp_path / "var/backups/vitrine"
    assert saved.stat().st_mode & 0o777 == 0o700
    assert (saved / "vitrine.db").stat().st_mode & 0o777 == 0o600
    later = demo.create_image(b"later")["id"]
    assert server.stop() == 0
    done = examples.run(restore, tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 blobs compared, 0 wrong\n"), done.stderr
    server.start()
    demo = server.client("demo")
    assert demo.listed() == [kept]
    assert demo.download(kept).expect(200).body == b"kept"
    assert list((directory.with_name("vitrine.old") / "blobs").rglob("*")) != []
    assert demo.get(f"/v2/images/{later}").status == 404


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
