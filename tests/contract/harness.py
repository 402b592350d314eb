"""Runs the real program and speaks to it: servers, clients, raw connections, waiting.

Nothing here knows how the program is made; it knows the command line, `clouds.yaml` and the wire.
"""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import identity
from database import Database
from store import Store

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VITRINE_BINARY", ROOT / "build/dev/src/vitrine"))
# A sanitizer build is this much slower; deadlines stretch with it.
SANITIZED = re.search(r"asan|tsan", str(BINARY)) is not None
PATIENCE = 4 if SANITIZED else 1
SANITIZER_REPORT = re.compile(
    r"(ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:)")
JOB_WORDS = ("INIT", "RUNNING", "SUCCESS", "FAIL")


class TimeIsUp(AssertionError):
    """What was waited for did not come, as opposed to a look that failed."""


def wait_until(condition, seconds=30.0, what="the condition"):
    """Looks again until `condition()` is true and returns what it gave. The only wait there is."""
    deadline = time.monotonic() + seconds * PATIENCE
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeIsUp(f"{what} did not come true within {seconds * PATIENCE:.0f} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


class Answer:
    """A whole HTTP answer."""

    def __init__(self, response, body):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def code(self):
        """The IMG code of an IMS error body, nothing when the body is none."""
        try:
            return self.json()["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return None

    def message(self):
        """The text of an error of the Image API, without what follows each."""
        text = self.json()["message"]
        assert text.endswith("<br /><br />\n\n\n"), text
        return text.removesuffix("<br /><br />\n\n\n")

    def expect(self, *statuses):
        assert self.status in statuses, (
            f"status {self.status}, expected {' or '.join(map(str, statuses))}: {self.text[:2000]}")
        return self

    def __repr__(self):
        return f"<Answer {self.status} {self.text[:300]!r}>"


class _KeptOpen:
    """A stream that http.client may not close: an answer ends, the connection's bytes go on."""

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def close(self):
        pass


class RawConnection:
    """A socket for bytes no well-behaved client sends."""

    def __init__(self, address, timeout=30.0):
        self.socket = socket.create_connection(address, timeout * PATIENCE)
        self.stream = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def answer(self, method="GET"):
        """The next answer on this connection, framed as a client frames it."""
        response = http.client.HTTPResponse(self.socket, method=method)
        response.fp.close()
        # One buffer for the whole connection, so that pipelining works.
        response.fp = _KeptOpen(self.stream)
        response.begin()
        length_known = response.length is not None or response.chunked
        if not length_known and not response.will_close:
            return Answer(response, b"")
        data = b""
        if response.chunked or response.will_close and response.length is None:
            data = response.read()
        elif response.length:
            data = self.stream.read(response.length)
        return Answer(response, data)

    def closed(self):
        """True when the server ends the connection (without another byte) in time."""
        try:
            return self.stream.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client:
    """One user's view of one server. Threads may share it: each has its own connections.

    Requests below /v3 go to whoever answers for identity: the server, or its Keystone.
    """

    def __init__(self, server, cloud=None):
        self.server = server
        self.cloud = cloud
        self.local = threading.local()
        self.token = None
        self.project_id = None
        self.user_id = None
        if cloud:
            self.login()

    def login(self):
        auth = self.cloud["auth"]
        answer = self.request("POST", "/v3/auth/tokens", json=password_login(auth)).expect(201)
        self.token = answer.headers["X-Subject-Token"]
        token = answer.json()["token"]
        self.project_id = token.get("project", {}).get("id")
        self.user_id = token["user"]["id"]
        return token

    def connection(self, path="/"):
        elsewhere = self.server.identity.address if path.startswith("/v3") else None
        address = elsewhere or self.server.address
        held = self.local.__dict__.setdefault("connections", {})
        if address not in held:
            held[address] = http.client.HTTPConnection(*address, timeout=60 * PATIENCE)
        return held[address]

    def request(self, method, path, *, json=None, body=None, headers=None, token=True):
        """One request. `json` is any JSON value; `body` bytes, or an iterable sent in chunks."""
        sent = {"Accept": "application/json"}
        if token and self.token:
            sent["X-Auth-Token"] = self.token
        if json is not None:
            body = dump(json)
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        try:
            return self.exchange(method, path, body, sent)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # The server closed a connection that was kept: once more on a new one, when nothing can
            # have been consumed twice.
            self.disconnect()
            if not isinstance(body, (bytes, str, type(None))):
                raise
            return self.exchange(method, path, body, sent)

    def exchange(self, method, path, body, headers):
        connection = self.connection(path)
        try:
            chunked = not isinstance(body, (bytes, str, type(None)))
            connection.request(method, path, body, headers, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response, response.read())
        except Exception:
            self.disconnect()
            raise

    def disconnect(self):
        for held in self.local.__dict__.pop("connections", {}).values():
            held.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, json=None, **options):
        return self.request("POST", path, json=json, **options)

    def put(self, path, json=None, **options):
        return self.request("PUT", path, json=json, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def patch(self, path, operations, version="v2.1"):
        media = f"application/openstack-images-{version}-json-patch"
        return self.request("PATCH", path, body=dump(operations), headers={"Content-Type": media})

    def raw(self, timeout=30.0):
        return RawConnection(self.server.address, timeout)

    def head_lines(self, method, path, *lines):
        """The head of a request as bytes, with this client's token; `lines` are further headers."""
        text = [f"{method} {path} HTTP/1.1", f"Host: {self.server.host}:{self.server.port}"]
        if self.token:
            text.append(f"X-Auth-Token: {self.token}")
        return ("\r\n".join([*text, *lines]) + "\r\n\r\n").encode()

    # What most tests begin with.

    def projects(self, count):
        """Ids of that many projects, of which the administrator makes those that are not there."""
        names = [f"project-{index:04d}" for index in range(count)]
        known = self.project_ids()
        missing = [name for name in names if name not in known]
        for name in missing:  # 409: another test of those that share a Keystone was quicker
            self.post("/v3/projects", {"project": {"name": name}}).expect(201, 409)
        known = self.project_ids() if missing else known
        return [known[name] for name in names]

    def project_ids(self):
        """Ids of all projects by name."""
        answer = self.get("/v3/projects").expect(200).json()
        return {project["name"]: project["id"] for project in answer["projects"]}

    def create_image(self, data=None, **fields):
        """A new image, queued, or active when `data` is given; its document."""
        document = {"name": "image", "disk_format": "raw", "container_format": "bare", **fields}
        document = {name: value for name, value in document.items() if value is not ...}
        image = self.post("/v2/images", document).expect(201).json()
        if data is not None:
            self.upload(image["id"], data).expect(204)
            image = self.show(image["id"])
        return image

    def upload(self, image_id, data, **headers):
        sent = {"Content-Type": "application/octet-stream", **headers}
        return self.request("PUT", f"/v2/images/{image_id}/file", body=data, headers=sent)

    def download(self, image_id, **headers):
        return self.get(f"/v2/images/{image_id}/file", headers={"Accept": None, **headers})

    def show(self, image_id):
        return self.get(f"/v2/images/{image_id}").expect(200).json()

    def listed(self, query=""):
        """Ids of GET /v2/images with that query, first page."""
        answer = self.get("/v2/images" + (f"?{query}" if query else "")).expect(200).json()
        return [image["id"] for image in answer["images"]]

    def members(self, image_id):
        """Members of an image as {project id: status}."""
        answer = self.get(f"/v2/images/{image_id}/members").expect(200).json()
        return {member["member_id"]: member["status"] for member in answer["members"]}

    def share(self, images, projects):
        """POST /v1/cloudimages/members, and the job when it has ended."""
        return self.members_job("POST", {"images": images, "projects": projects})

    def unshare(self, images, projects):
        return self.members_job("DELETE", {"images": images, "projects": projects})

    def answer_share(self, images, status="accepted"):
        return self.members_job(
            "PUT", {"images": images, "project_id": self.project_id, "status": status})

    def members_job(self, method, body):
        answer = self.request(method, "/v1/cloudimages/members", json=body).expect(200)
        return self.wait_job(answer.json()["job_id"])

    def job(self, job_id):
        return self.get(f"/v1/{self.project_id}/jobs/{job_id}").expect(200).json()

    def wait_job(self, job_id, seconds=30):
        """The body of a job that has ended. Any status word outside the contract fails the test."""
        def ended():
            body = self.job(job_id)
            assert body["status"] in JOB_WORDS, body
            return body if body["status"] in ("SUCCESS", "FAIL") else None
        return wait_until(ended, seconds, f"the end of job {job_id}")


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def password_login(auth, scope=True):
    """The body of a password login as written in clouds.yaml."""
    user = {"name": auth["username"], "password": auth["password"],
            "domain": {"name": auth.get("user_domain_name", "Default")}}
    body = {"identity": {"methods": ["password"], "password": {"user": user}}}
    if scope:
        body["scope"] = {"project": {"name": auth["project_name"], "domain": {
            "name": auth.get("project_domain_name", "Default")}}}
    return {"auth": body}


class Server:
    """One running program over one directory. Restarting keeps the directory, not the port.

    `config` is the text of a configuration file, or the path of one.
    """

    def __init__(self, directory, config=None, environment=None, arguments=(), accounts=None,
                 store=None, binary=BINARY):
        self.directory = pathlib.Path(directory)
        self.log_path = self.directory.with_name(self.directory.name + ".log")
        # Logins are frequent here and no secret is worth a second of argon2id.
        self.database = Database(self.directory)
        self.identity = accounts or identity.of(self.directory)
        self.store = store or Store(self.directory)
        self.environment = {"VITRINE_IDENTITY_PASSWORD_MEMORY_KIB": "64",
                            "VITRINE_IDENTITY_PASSWORD_PASSES": "1",
                            **self.database.environment(), **self.identity.environment,
                            **self.store.environment(), **(environment or {})}
        self.arguments = list(arguments)
        self.settings = []  # what other commands on it need, too
        self.binary = binary
        self.store_is_spoilt = False  # by the test, for good
        self.process = None
        self.address = None
        self.tls = False
        if isinstance(config, pathlib.Path):
            self.settings = ["--config", str(config)]
        elif config:
            path = self.directory.with_name(self.directory.name + ".toml")
            path.write_text(config)
            self.settings = ["--config", str(path)]

    def command(self):
        return [str(self.binary), "serve", "--standalone", str(self.directory), *self.settings,
                "--listen", "127.0.0.1:0", *self.identity.arguments, *self.arguments]

    def start(self, seconds=60.0):
        self.database.create()
        self.store.create()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, **self.environment})
        line = self.read_line(seconds * PATIENCE)
        found = re.fullmatch(r"ready (https?)://(.+):(\d+)\n", line)
        assert found, f"expected `ready http://HOST:PORT`, got {line!r}; log:\n{self.log()[-4000:]}"
        self.tls = found.group(1) == "https"
        self.address = (found.group(2).strip("[]"), int(found.group(3)))
        return self

    def read_line(self, seconds):
        """The first line of stdout, as far as it came in time."""
        line, deadline = b"", time.monotonic() + seconds
        descriptor = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([descriptor], [], [], left)[0]:
                break
            piece = os.read(descriptor, 4096)
            if not piece:
                break
            line += piece
        return line.decode()

    @property
    def host(self):
        return self.address[0]

    @property
    def port(self):
        return self.address[1]

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def clouds(self):
        """The accounts as in clouds.yaml, by the name of their user."""
        return self.identity.clouds()

    def client(self, user=None):
        """A client logged in as that user of `clouds`; without a token when none is named."""
        return Client(self, self.clouds()[user] if user else None)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def events(self):
        """The whole lines of the audit trail; the last one may still be on its way."""
        path = self.directory / "audit.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def kill(self):
        """kill -9, and wait for the end."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self, seconds=30.0):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=30.0):
        status = self.process.wait(seconds * PATIENCE)
        self.process.stdout.close()
        return status

    def restart(self):
        """kill -9 unless it has ended already, then start again."""
        if self.process.poll() is None:
            self.kill()
        return self.start()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def rss_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def stored_bytes(self):
        """Bytes of image data, staged or stored."""
        return self.store.bytes()

    def check_blobs(self):
        """`vitrine blobs check`: its status and lines."""
        done = subprocess.run(
            [str(self.binary), "blobs", "check", "--standalone", str(self.directory),
             *self.settings], capture_output=True, text=True, check=False, timeout=60 * PATIENCE,
            env={**os.environ, **self.environment})
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, done.stdout.splitlines() or [done.stderr]

    def wait_for_right_blobs(self, seconds=30.0):
        """Until no data is missing, and none is nobody's once the sweeper was there."""
        found = []

        def right():
            found[:] = [self.check_blobs()]
            return found[0][0] == 0
        with contextlib.suppress(TimeIsUp):
            wait_until(right, seconds)
        assert found[0][0] == 0, found[0][1]

    def finish(self):
        """Ends the program and fails when it had crashed, a sanitizer spoke, or data is missing or
        nobody's."""
        status = None
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                if not self.store_is_spoilt:
                    self.wait_for_right_blobs()
                status = self.stop()
            elif not self.process.stdout.closed:
                self.process.stdout.close()
        self.database.drop()
        self.store.drop()
        log = self.log()
        assert not SANITIZER_REPORT.search(log), log[-8000:]
        assert status in (0, None, -signal.SIGKILL), f"exit status {status}; log:\n{log[-4000:]}"


def md5(data):
    return hashlib.md5(data).hexdigest()


def sha512(data):
    return hashlib.sha512(data).hexdigest()


def quote(text):
    return urllib.parse.quote(text, safe="")
