#!/usr/bin/env python3
"""A throw-away object store for tests: Versity S3 Gateway over a folder, on a free loopback port.

usage: s3.py run COMMAND...

Runs the command with VITRINE_TEST_STORE=s3 and, as VITRINE_TEST_S3, the place of a running store
and its folder, then removes both; the status is that of the command. Beside the account that may
do everything there is one of a user (USER_KEY) with a bucket of their own (USER_BUCKET). The
program is built once from its Go module into .cache/versitygw.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import kit

ROOT = pathlib.Path(__file__).resolve().parents[2]
GO = ROOT / ".cache/go/bin/go"
MODULE = "github.com/versity/versitygw"
VERSION = "v1.8.0"
PROGRAM = ROOT / ".cache/versitygw" / VERSION / "versitygw"
ACCESS_KEY, SECRET_KEY = "vitrine-tests", "no-secret-of-anybody"
USER_KEY, USER_SECRET, USER_BUCKET = "a-user", "secret-of-a-user", "of-a-user"


def build():
    """Builds the gateway unless it is there. Its module replaces others, so it needs one around."""
    if PROGRAM.exists():
        return
    if not GO.exists():
        sys.exit(f"s3.py: {GO} is missing; ./dev test installs it")
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        for command in (["mod", "init", "wrapper.invalid"],
                        ["get", "-tool", f"{MODULE}/cmd/versitygw@{VERSION}"],
                        ["build", "-trimpath", "-o", "versitygw", f"{MODULE}/cmd/versitygw"]):
            subprocess.run([GO, *command], check=True, cwd=folder, env=environment,
                           stdout=subprocess.DEVNULL)
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(pathlib.Path(folder) / "versitygw", PROGRAM)


class ObjectStore:
    """Starts, stops and kills one gateway over one folder. A bucket is a folder in `root`, which
    `url` reaches by path and BUCKET.localhost by the host.

    With a disk (small_disk.py) all that it keeps lies there.
    """

    def __init__(self, disk=None):
        build()
        # Not under /tmp, which may be memory without the attributes that the gateway keeps.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-s3-", dir="/var/tmp"))
        self.root = (disk.outside if disk else self.home) / "buckets"
        self.root.mkdir()
        self.command = [PROGRAM, "--quiet", "--keep-alive"]
        self.backend = ["posix", self.root]
        if disk:
            # In memory there may be no attributes.
            (disk.outside / "attributes").mkdir()
            self.command = disk.within(self.command)
            self.backend = ["posix", "--sidecar", disk.inside / "attributes",
                            disk.inside / "buckets"]
        self.accounts = self.home / "accounts"
        self.accounts.mkdir()
        self.port = kit.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "--port", f"127.0.0.1:{self.port}", "--virtual-domain", kit.DOMAIN,
                 "--iam-dir", self.accounts, *self.backend],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "ROOT_ACCESS_KEY_ID": ACCESS_KEY,
                     "ROOT_SECRET_ACCESS_KEY": SECRET_KEY})
        kit.wait_for_port(self.process, self.port, self.home / "log")

    def administer(self, *arguments):
        subprocess.run([PROGRAM, "admin", "--access", ACCESS_KEY, "--secret", SECRET_KEY,
                        "--endpoint-url", self.url, *arguments],
                       check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def add_bucket(self, bucket):
        (self.root / bucket).mkdir()

    def add_user(self, key, secret, bucket):
        """An account that reaches this bucket, which is made, and no other."""
        self.administer("create-user", "--access", key, "--secret", secret, "--role", "user")
        self.administer("create-bucket", "--owner", key, "--bucket", bucket)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        """It keeps its connections and says nothing more, until `resume`."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def remove(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home)


@contextlib.contextmanager
def started(_):
    store = ObjectStore()
    try:
        store.add_user(USER_KEY, USER_SECRET, USER_BUCKET)
        yield {"VITRINE_TEST_STORE": "s3", "VITRINE_TEST_S3": f"{store.url} {store.root}"}
    finally:
        store.remove()


if __name__ == "__main__":
    sys.exit(kit.run_within("Runs a command with an object store of its own.", started))
