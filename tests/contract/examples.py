"""docs/examples, put where a test wants them, and what starts as they say."""

import os
import pathlib
import re
import subprocess

import harness

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = DOCS / "examples"
FOLDERS = ("/etc/vitrine", "/var/lib/vitrine", "/var/log/vitrine", "/var/backups", "/srv/archive")
SECRETS = ("s3-access-key", "s3-secret-key", "keystone-password")


def make_certificate(certificate, key, name):
    """One that is good for that name alone, and vouches for itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)


def below(root, text):
    """The text with the folders of a machine below ours."""
    for folder in FOLDERS:
        text = text.replace(folder, f"{root}{folder}")
    return text


def place(name, root, names=None, secrets=None):
    """Writes an example below the root as it is, but for its folders, and for `names`, each of
    which it must have; its path. Beside it are the files that it names."""
    text = below(root, (EXAMPLES / name).read_text())
    for there, here in (names or {}).items():
        assert there in text, there
        text = text.replace(there, here)
    for folder in FOLDERS:
        pathlib.Path(f"{root}{folder}").mkdir(parents=True, exist_ok=True)
    beside = root / "etc/vitrine"
    for secret in SECRETS:
        (beside / secret).write_text((secrets or {}).get(secret, "secret") + "\n")
    make_certificate(beside / "certificate.pem", beside / "key.pem", "images.example.org")
    (beside / name).write_text(text)
    return beside / name


def commands_of(heading):
    """The blocks of shell below a heading of deploying.md."""
    text = (DOCS / "deploying.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(block, root, environment=None):
    """Runs such a block, word by word but for the folders, which are below the root, as are users
    and services."""
    stubs = root / "stubs"
    stubs.mkdir(exist_ok=True)
    stand_ins = {"vitrine": f'exec "{harness.BINARY}" "$@"', "systemctl": "", "chown": "",
                 "runuser": 'shift 3; exec "$@"'}
    for name, body in stand_ins.items():
        (stubs / name).write_text(f"#!/bin/sh\n{body}\n")
        (stubs / name).chmod(0o755)
    return subprocess.run(["bash", "-euxc", below(root, block)], capture_output=True, text=True,
                          check=False, timeout=60 * harness.PATIENCE,
                          env={**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}",
                               **(environment or {})})


class Installed(harness.Server):
    """Started with such a file alone, but for the port."""

    def __init__(self, config, accounts, environment=None):
        self.root = config.parents[2]
        super().__init__(self.root / "var/lib/vitrine", config=config, accounts=accounts)
        self.environment = environment or {}

    def command(self):
        return [str(self.binary), "serve", *self.settings, "--listen", "127.0.0.1:0"]
