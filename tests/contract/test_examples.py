"""The configuration files of docs/examples: whole, and good to start with."""

import pathlib
import subprocess

import pytest

import database
import harness
import identity
import store

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs/examples"
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


@database.sqlite_only
@identity.builtin_only
@pytest.mark.skipif(store.KIND != "file", reason="of one machine")
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
