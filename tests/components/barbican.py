#!/usr/bin/env python3
"""A throw-away Barbican for tests, on a free port of the loopback.

usage: keystone.py run barbican.py run COMMAND...

It asks the Keystone of keystone.py about tokens, as the account that the service has there. Runs
the command with its URL in VITRINE_TEST_BARBICAN, then removes it; the status is that of the
command. The programs are in .cache/barbican, where ./dev test installs requirements-barbican.txt.
"""

import base64
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import yaml

import keystone
import kit

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE.parents[1] / ".cache/barbican/venv"
SETTINGS = """
[DEFAULT]
host_href = {url}
db_auto_create = true
[database]
connection = sqlite:///{home}/barbican.db
[queue]
enable = false
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = {kek}
[keystone_authtoken]
www_authenticate_uri = {auth[auth_url]}
auth_url = {auth[auth_url]}
auth_type = password
username = {auth[username]}
password = {auth[password]}
user_domain_name = {auth[user_domain_name]}
project_name = {auth[project_name]}
project_domain_name = {auth[project_domain_name]}
service_token_roles = service
service_token_roles_required = true
[oslo_policy]
enforce_scope = true
enforce_new_defaults = true
"""
# Barbican has the place of this file built in: what it is given by is a module of ours.
WSGI = """
from paste import deploy
application = deploy.loadapp("config:{home}/barbican-api-paste.ini")
"""
GUNICORN = """
wsgi_app = "barbican_wsgi:application"
pythonpath = "{home}"
bind = "127.0.0.1:{port}"
workers = 1
threads = 2
worker_class = "gthread"
keepalive = 30
control_socket_disable = True
preload_app = True
""" + kit.WHEN_READY


class Barbican:
    """Starts and stops one Barbican over one folder."""

    def __init__(self, home, auth):
        self.home = home
        self.log = home / "log"
        self.port = kit.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        (home / ".barbican").mkdir()  # where it looks for its settings, below $HOME
        shutil.copy(VENV / "etc/barbican/barbican-api-paste.ini", home)
        kek = base64.b64encode(os.urandom(32)).decode()
        (home / ".barbican/barbican.conf").write_text(
            SETTINGS.format(home=home, url=self.url, kek=kek, auth=auth))
        (home / "barbican_wsgi.py").write_text(WSGI.format(home=home))
        (home / "gunicorn.conf.py").write_text(GUNICORN.format(home=home, port=self.port))

    def start(self):
        """Returns when it answers."""
        self.process = kit.start_gunicorn(VENV / "bin", self.home, self.log, HOME=str(self.home))

    def stop(self):
        """kill -9: connections are refused."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def running(clouds_file):
    """A Barbican that answers, until the end of the block."""
    if not (VENV / "bin/gunicorn").exists():
        sys.exit("barbican.py: no Barbican is installed; ./dev test keystone does it")
    clouds = yaml.safe_load(pathlib.Path(clouds_file).read_text())["clouds"]
    auth = clouds[next(iter(keystone.ACCOUNTS))]["auth"]  # the service asks as the first
    with tempfile.TemporaryDirectory(prefix="vitrine-barbican-") as folder:
        barbican = Barbican(pathlib.Path(folder), auth)
        barbican.start()
        try:
            yield barbican
        finally:
            barbican.stop()


@contextlib.contextmanager
def started(_):
    with running(os.environ["VITRINE_TEST_KEYSTONE_CLOUDS"]) as barbican:
        yield {"VITRINE_TEST_BARBICAN": barbican.url}


if __name__ == "__main__":
    sys.exit(kit.run_within("Runs a command with a Barbican of its own.", started))
