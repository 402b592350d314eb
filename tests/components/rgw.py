#!/usr/bin/env python3
"""A throw-away Ceph for tests: a monitor, an OSD over a sparse file, and the S3 gateway.

usage: rgw.py run COMMAND...

Runs the command with the gateway and a bucket in VITRINE_S3_ENDPOINT and its like, then removes
all; the status is that of the command. Everything listens on the loopback and asks for no keys but
those of S3. Needs the Debian packages ceph-mon, ceph-osd, ceph-common and radosgw.
"""

import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import kit
from s3 import ACCESS_KEY, SECRET_KEY

BUCKET = "images"
READY_SECONDS = 120
SETTINGS = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{port}/0
public network = 127.0.0.0/8
ms bind port min = {first}
ms bind port max = {last}
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
mon data = {home}/monitor
mon data avail warn = 1
mon data avail crit = 1
mon allow pool size one = true
mon warn on pool no redundancy = false
mgr data = {home}/manager
osd data = {home}/osd
rgw data = {home}/gateway
run dir = {home}
admin socket = {home}/$name.asok
log file = {home}/$name.log
pid file =
crash dir = {home}/crash
keyring =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class load list = *
osd memory target = 939524096
osd op num shards = 2
bluestore block size = 12884901888
rgw dns name = {domain}
rgw crypt require ssl = false
"""


class ObjectStore:
    """Starts, stops and kills one gateway; the cluster behind it runs all the time. `url` reaches
    buckets by path, BUCKET.localhost by the host."""

    def __init__(self):
        if not shutil.which("radosgw"):
            sys.exit("rgw.py: no Ceph is installed (packages ceph-mon, ceph-osd, radosgw)")
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-rgw-", dir="/var/tmp"))
        self.port = kit.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.fsid = str(uuid.uuid4())
        self.cluster = []
        self.process = None
        self.configure()
        try:
            self.start_monitor()
            self.start_osd()
            self.start()
            self.run("radosgw-admin", "user", "create", "--uid", "vitrine", "--display-name",
                     "vitrine", "--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)
        except BaseException:
            self.remove()
            raise

    def configure(self):
        port = self.monitor_port = kit.free_port()
        for folder in ("monitor", "osd", "gateway", "crash"):
            (self.home / folder).mkdir()
        (self.home / "ceph.conf").write_text(SETTINGS.format(
            home=self.home, fsid=self.fsid, port=port, first=port + 1, last=port + 100,
            domain=kit.DOMAIN))

    @property
    def environment(self):
        return {**os.environ, "CEPH_CONF": str(self.home / "ceph.conf")}

    def run(self, *command, seconds=READY_SECONDS):
        return subprocess.run(command, check=True, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=seconds, env=self.environment)

    def spawn(self, *command):
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, env=self.environment)

    def start_monitor(self):
        mon_map = str(self.home / "monmap")
        self.run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a",
                 f"[v2:127.0.0.1:{self.monitor_port}/0]", mon_map)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", mon_map)
        self.cluster.append(self.spawn("ceph-mon", "-f", "-i", "a"))
        kit.wait_for_port(self.cluster[-1], self.monitor_port, self.home / "log", READY_SECONDS)

    def start_osd(self):
        identifier = str(uuid.uuid4())
        self.run("ceph", "osd", "new", identifier)
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identifier)
        self.cluster.append(self.spawn("ceph-osd", "-f", "-i", "0"))
        deadline = time.monotonic() + READY_SECONDS
        while "1 osds: 1 up" not in self.run("ceph", "osd", "stat").stdout:
            if time.monotonic() > deadline:
                raise RuntimeError("the OSD did not come up")

    def start(self):
        self.process = self.spawn("radosgw", "-f", "-n", "client.rgw.a", "--rgw-frontends",
                                  f"beast endpoint=127.0.0.1:{self.port}")
        kit.wait_for_port(self.process, self.port, self.home / "log", READY_SECONDS)

    def add_bucket(self, bucket):
        self.run("curl", "--fail", "--silent", "--show-error", "--request", "PUT",
                 "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{ACCESS_KEY}:{SECRET_KEY}",
                 "--header", f"x-amz-content-sha256: {hashlib.sha256().hexdigest()}",
                 f"{self.url}/{bucket}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        """It keeps its connections and says nothing more, until `resume`."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def remove(self):
        for process in [self.process, *reversed(self.cluster)]:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.home)


@contextlib.contextmanager
def started(_):
    store = ObjectStore()
    try:
        store.add_bucket(BUCKET)
        yield {"VITRINE_STORAGE_DRIVER": "s3", "VITRINE_S3_ENDPOINT": store.url,
               "VITRINE_S3_BUCKET": BUCKET, "VITRINE_S3_ACCESS_KEY": ACCESS_KEY,
               "VITRINE_S3_SECRET_KEY": SECRET_KEY}
    finally:
        store.remove()


if __name__ == "__main__":
    sys.exit(kit.run_within("Runs a command with a Ceph of its own.", started))
