"""A pgbouncer of Debian in front of a PostgreSQL cluster, on a free port of the loopback."""

import pathlib
import shutil
import subprocess
import tempfile
import urllib.parse

import kit
from postgres import OWNER

SETTINGS = """
[databases]
* = host={host} port={server_port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {pool_size}
logfile = {home}/log
"""


class Bouncer:
    """Lets everybody in as the user of the cluster's URL. It is gone after the block."""

    def __init__(self, cluster_url, mode, pool_size):
        server = urllib.parse.urlsplit(cluster_url)
        self.user = server.username
        self.port = kit.free_port()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-pgbouncer-", dir="/var/tmp"))
        self.config = self.home / "pgbouncer.ini"
        self.config.write_text(SETTINGS.format(
            host=server.hostname, server_port=server.port, user=self.user, port=self.port,
            mode=mode, pool_size=pool_size, home=self.home))
        if OWNER:
            for path in (self.home, self.config):
                shutil.chown(path, OWNER, OWNER)
        self.process = None

    def __enter__(self):
        owner = {"user": OWNER, "group": OWNER, "extra_groups": []} if OWNER else {}
        # Debian has it where only root looks for programs.
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self.process = subprocess.Popen([program, "-q", self.config], cwd=self.home,
                                        stdin=subprocess.DEVNULL, **owner)
        kit.wait_for_port(self.process, self.port, self.home / "log")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.home)

    def url(self, database):
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}"
