"""docs/examples and docs/deploying.md: whole, and good to do as they say."""

import os
import pathlib
import re
import subprocess

import pytest

import database
import harness
import identity
import store

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = DOCS / "examples"
SECRETS = ("s3-access-key", "s3-secret-key", "keystone-password")


@pytest.fixture
def placed(tmp_path):
    """Writes an example as it is, but for its folders, which are ours; its path."""
    for name in ("etc", "lib", "log"):
        (tmp_path / name).mkdir()
    for name in SECRETS:
        (tmp_path / "etc" / name).write_text("secret\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=images.example.org", "-keyout", tmp_path / "etc/key.pem",
                    "-out", tmp_path / "etc/certificate.pem"], check=True, capture_output=True)

    def place(name):
        text = (EXAMPLES / name).read_text()
        for there, here in (("/etc/vitrine", "etc"), ("/var/lib/vitrine", "lib"),
                            ("/var/log/vitrine", "log")):
            text = text.replace(there, str(tmp_path / here))
        path = tmp_path / name
        path.write_text(text)
        return path
    return place


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.toml")))
def test_an_example_is_in_order(placed, name):
    done = subprocess.run([str(harness.BINARY), "check-config", str(placed(name))],
                          capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def of_one_machine(test):
    is_file = pytest.mark.skipif(store.KIND != "file", reason="of one machine")
    return database.sqlite_only(identity.builtin_only(is_file(test)))


@of_one_machine
def test_one_machine_starts(placed):
    config = placed("one-machine.toml")
    process = subprocess.Popen(
        [str(harness.BINARY), "serve", "--config", str(config), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("ready https://127.0.0.1:")
        assert (config.parent / "lib/clouds.yaml").exists()
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(30 * harness.PATIENCE) == 0
    assert (config.parent / "log/vitrine.log").exists()


def commands_of(heading):
    """The blocks of shell below a heading of deploying.md."""
    text = (DOCS / "deploying.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(tmp_path):
    """Runs such a block, word by word but for the folders, which are ours, as are users and
    services."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    (stubs / "vitrine").symlink_to(harness.BINARY)
    for name, body in (("systemctl", ""), ("chown", ""), ("runuser", 'shift 3; exec "$@"')):
        (stubs / name).write_text(f"#!/bin/sh\n{body}\n")
        (stubs / name).chmod(0o755)

    def run(block):
        for there in ("/var/lib", "/var/backups", "/etc"):
            block = block.replace(there, f"{tmp_path}{there}")
        return subprocess.run(["bash", "-euxc", block], capture_output=True, text=True,
                              check=False, timeout=60 * harness.PATIENCE,
                              env={**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}"})
    return run


@of_one_machine
def test_a_backup_is_for_root_alone_and_restores_what_was(fresh_server, shell, tmp_path):
    for folder in ("var/lib", "var/backups", "etc/vitrine"):
        (tmp_path / folder).mkdir(parents=True)
    directory = tmp_path / "var/lib/vitrine"
    (tmp_path / "etc/vitrine/vitrine.toml").write_text(f'[storage]\ndirectory = "{directory}"\n')
    backup, restore = commands_of("Backup and restore")
    server = fresh_server(directory=directory)
    demo = server.client("demo")
    kept = demo.create_image(b"kept")["id"]
    done = shell(backup)
    assert done.returncode == 0, done.stderr
    saved = tmp_path / "var/backups/vitrine"
    assert saved.stat().st_mode & 0o777 == 0o700
    assert (saved / "vitrine.db").stat().st_mode & 0o777 == 0o600
    later = demo.create_image(b"later")["id"]
    assert server.stop() == 0
    done = shell(restore)
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
                       (DOCS / "deploying.md").read_text(), re.MULTILINE).group(1)
    needed = subprocess.run(["readelf", "-d", harness.BINARY], capture_output=True, text=True,
                            check=True).stdout
    packages = set()
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", needed):
        owners = subprocess.run(["dpkg", "-S", f"*-linux-gnu/{name}"], capture_output=True,
                                text=True, check=True).stdout
        packages |= {line.split(":")[0] for line in owners.splitlines()}
    listed = listed.replace("\\", "").split()
    assert sorted(packages - {"libc6", "libgcc-s1", "libstdc++6"}) == listed
