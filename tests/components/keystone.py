#!/usr/bin/env python3
"""A throw-away Keystone for tests, on a free port of the loopback.

usage: keystone.py run COMMAND...

Runs the command with VITRINE_TEST_IDENTITY=keystone and in VITRINE_TEST_KEYSTONE_CLOUDS a
clouds.yaml with every account, then removes the Keystone; the status is that of the command.
The programs are in .cache/keystone, where ./dev test installs requirements-keystone.txt.
"""

import contextlib
import fcntl
import grp
import hashlib
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

import kit

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache/keystone"
PROGRAMS = CACHE / "venv/bin"
PASSWORD = "of-every-account-here"
# user: (project, its roles there). The first is whom the service asks as.
ACCOUNTS = {
    "vitrine": ("service", ["service", "admin"]),
    "admin": ("admin", ["admin"]),
    "demo": ("demo", ["member"]),
    "alt": ("alt", ["member"]),
    "third": ("third", ["member"]),
    "viewer": ("demo", ["reader"]),
}
SETTINGS = """
[DEFAULT]
use_stderr = true
public_endpoint = http://127.0.0.1:{port}
[database]
connection = sqlite:///{home}/keystone.db
[token]
expiration = {token_seconds}
[fernet_tokens]
key_repository = {home}/fernet
[credential]
key_repository = {home}/credential
[cache]
enabled = true
backend = oslo_cache.dict
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
"""
# One process: its cache is not shared, and another one would not know what was revoked. One thread:
# with more SQLite refuses writers that meet ("database is locked"), and Keystone answers 500.
GUNICORN = """
wsgi_app = "keystone.wsgi.api:application"
bind = "127.0.0.1:{port}"
workers = 1
threads = 1
worker_class = "gthread"
preload_app = True
keepalive = 30
control_socket_disable = True
""" + kit.WHEN_READY


class Keystone:
    """Starts, stops and holds up one Keystone over one folder. `url` ends with /v3."""

    def __init__(self, home, token_seconds=3600):
        self.home = home
        self.log = home / "log"
        self.port = kit.free_port()
        self.url = f"http://127.0.0.1:{self.port}/v3"
        self.process = None
        settings = SETTINGS.format(home=home, port=self.port, token_seconds=token_seconds)
        (home / "keystone.conf").write_text(settings)
        (home / "gunicorn.conf.py").write_text(GUNICORN.format(port=self.port))
        self.clouds_file = home / "clouds.yaml"
        self.clouds_file.write_text(json.dumps({"clouds": self.clouds()}))  # JSON is YAML

    def clouds(self):
        return {user: {"region_name": "RegionOne", "auth": {
            "auth_url": self.url, "username": user, "password": PASSWORD, "project_name": project,
            "user_domain_name": "Default", "project_domain_name": "Default"}}
            for user, (project, _) in ACCOUNTS.items()}

    def manage(self, *arguments):
        subprocess.run([PROGRAMS / "keystone-manage", "--config-file", self.home / "keystone.conf",
                        *arguments], check=True, cwd=self.home, stdin=subprocess.DEVNULL,
                       capture_output=True)

    def start(self):
        """Returns when it answers."""
        self.process = kit.start_gunicorn(
            PROGRAMS, self.home, self.log,
            OS_KEYSTONE_CONFIG_FILES=str(self.home / "keystone.conf"))

    def stop(self):
        """kill -9: connections are refused."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def hold(self):
        """Connections are taken, nothing is answered."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self):
        """Takes `hold` back."""
        os.killpg(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def running(token_seconds=3600):
    """A Keystone with all accounts that answers, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="vitrine-keystone-") as folder:
        copy_template(pathlib.Path(folder))
        keystone = Keystone(pathlib.Path(folder), token_seconds)
        keystone.start()
        try:
            yield keystone
        finally:
            keystone.stop()


class Administrator:
    """Speaks to one Keystone as the user admin."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Content-Type": "application/json"}
        user = {"name": "admin", "password": PASSWORD, "domain": {"name": "Default"}}
        scope = {"project": {"name": "admin", "domain": {"name": "Default"}}}
        self.call("POST", "/auth/tokens", {"auth": {"scope": scope, "identity": {
            "methods": ["password"], "password": {"user": user}}}})

    def call(self, method, path, body=None):
        self.connection.request(method, "/v3" + path, json.dumps(body) if body else None,
                                self.headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text.decode()}")
        if token := response.headers.get("X-Subject-Token"):
            self.headers["X-Auth-Token"] = token
        return json.loads(text) if text else {}

    def ids(self, kind):
        """Ids of all of them by name."""
        return {item["name"]: item["id"] for item in self.call("GET", f"/{kind}")[kind]}

    def make_accounts(self):
        """Makes the projects and users, and gives them their roles."""
        for project in {project for project, _ in ACCOUNTS.values()} - set(self.ids("projects")):
            self.call("POST", "/projects", {"project": {"name": project}})
        for user in set(ACCOUNTS) - set(self.ids("users")):
            self.call("POST", "/users", {"user": {"name": user, "password": PASSWORD}})
        projects, users, roles = (self.ids(kind) for kind in ("projects", "users", "roles"))
        for user, (project, wanted) in ACCOUNTS.items():
            for role in wanted:
                self.call("PUT", f"/projects/{projects[project]}/users/{users[user]}"
                                 f"/roles/{roles[role]}")


@contextlib.contextmanager
def alone():
    """One at a time, of all processes."""
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def copy_template(home):
    """Gives `home` the database and the keys of a Keystone with all accounts; made once."""
    if not (PROGRAMS / "keystone-manage").exists():
        sys.exit("keystone.py: no Keystone is installed; ./dev test keystone does it")
    sources = [HERE / "keystone.py", HERE / "requirements-keystone.txt"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    template = CACHE / f"template-{digest}"
    with alone():
        if not template.exists():
            for old in CACHE.glob("template-*"):  # one that was cut short, too
                shutil.rmtree(old)
            made = CACHE / "template-new"
            make_template(made)
            made.rename(template)
        shutil.copytree(template, home, dirs_exist_ok=True)


def make_template(home):
    for name in ("fernet", "credential"):
        (home / name).mkdir(mode=0o700, parents=True)
    keystone = Keystone(home)
    owner = ["--keystone-user", pwd.getpwuid(os.getuid()).pw_name,
             "--keystone-group", grp.getgrgid(os.getgid()).gr_name]
    catalog = [part for name in ("public", "internal", "admin")
               for part in (f"--bootstrap-{name}-url", "$(public_endpoint)s/v3")]
    keystone.manage("db_sync")
    keystone.manage("fernet_setup", *owner)
    keystone.manage("credential_setup", *owner)
    keystone.manage("bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id",
                    "RegionOne", *catalog)
    keystone.start()
    try:
        Administrator(keystone.port).make_accounts()
    finally:
        keystone.stop()


@contextlib.contextmanager
def started(_):
    with running() as keystone:
        yield {"VITRINE_TEST_IDENTITY": "keystone",
               "VITRINE_TEST_KEYSTONE_CLOUDS": str(keystone.clouds_file)}


if __name__ == "__main__":
    sys.exit(kit.run_within("Runs a command with a Keystone of its own.", started))
