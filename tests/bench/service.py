"""A server to measure and a quick client for it. Standard library only."""

import datetime
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time


class Api:
    """A connection that is kept, with or without a token."""

    def __init__(self, address, token=None):
        self.address = address
        self.token = token
        self.project = None  # of the token
        self.connection = http.client.HTTPConnection(*address, timeout=120)

    def call(self, method, path, body=None, media="application/json"):
        headers = {"Content-Type": media} if body is not None else {}
        if self.token:
            headers["X-Auth-Token"] = self.token
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def json(self, method, path, body=None, status=200):
        seen, _, text = self.call(method, path, None if body is None else json.dumps(body))
        if seen != status:
            raise RuntimeError(f"{method} {path}: {seen} {text[:500]!r}")
        return json.loads(text)

    def create(self, data=None, **fields):
        """The id of a new image, filled when there is data."""
        fields = {"disk_format": "raw", "container_format": "bare", **fields}
        image = self.json("POST", "/v2/images", fields, 201)["id"]
        if data is not None:
            status, _, text = self.call("PUT", f"/v2/images/{image}/file", data,
                                        "application/octet-stream")
            if status != 204:
                raise RuntimeError(f"upload: {status} {text[:500]!r}")
        return image

    def finished_job(self, path, body, method="POST", pause=0.05):
        """How many seconds the job of a request worked, and what it tells; it must succeed."""
        job_id = self.json(method, path, body)["job_id"]
        while (job := self.json("GET", f"/v1/cloudimages/job/{job_id}"))["status"] != "SUCCESS":
            if job["status"] == "FAIL":
                raise RuntimeError(f"{method} {path}: {job}")
            time.sleep(pause)
        began, ended = (datetime.datetime.fromisoformat(job[name].removesuffix("Z"))
                        for name in ("begin_time", "end_time"))
        return (ended - began).total_seconds(), job

    def create_many(self, count, fields, batch=64, connections=8):
        """`count` images, pipelined over several connections: no client is quick enough else."""
        streams = [socket.create_connection(self.address) for _ in range(connections)]
        head = (f"POST /v2/images HTTP/1.1\r\nHost: bench\r\nX-Auth-Token: {self.token}\r\n"
                "Content-Type: application/json\r\nContent-Length: ")
        made = 0
        while made < count:
            sent = []
            for stream in streams:
                bodies = [json.dumps(fields(n)) for n in range(made, min(made + batch, count))]
                stream.sendall("".join(f"{head}{len(body)}\r\n\r\n{body}"
                                       for body in bodies).encode())
                sent.append((stream, len(bodies)))
                made += len(bodies)
            for stream, expected in sent:
                self.read_created(stream, expected)
        for stream in streams:
            stream.close()

    @staticmethod
    def read_created(stream, expected):
        text, done = b"", 0
        while done < expected:
            piece = stream.recv(1 << 20)
            if not piece:
                raise RuntimeError(f"connection closed: {text[-500:]!r}")
            text += piece
            while (end := text.find(b"\r\n\r\n")) >= 0:
                head = text[:end]
                length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
                if len(text) < end + 4 + length:
                    break
                if not head.startswith(b"HTTP/1.1 201"):
                    raise RuntimeError(f"create: {text[:500]!r}")
                text = text[end + 4 + length:]
                done += 1


class Service:
    """The program over a new directory; with its scratch space it is gone after the block."""

    def __init__(self, binary, environment=None, core=None):
        """On one `core` only, when that is given."""
        self.command = [*(["taskset", "--cpu-list", str(core)] if core is not None else []),
                        str(binary)]
        self.environment = {**os.environ, **(environment or {})}
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self.directory = self.scratch / "data"
        self.process = None
        self.address = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.scratch)

    @property
    def url(self):
        return f"http://{self.address[0]}:{self.address[1]}"

    def start(self):
        with (self.scratch / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "serve", "--standalone", str(self.directory), "--demo",
                 "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log, text=True,
                env=self.environment)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"ready http://([\d.]+):(\d+)\n", line)
        if not found:
            raise RuntimeError(f"not ready: {line!r}; {(self.scratch / 'log').read_text()[-2000:]}")
        self.address = (found.group(1), int(found.group(2)))
        return self

    def stop(self):
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise RuntimeError(f"exit status {self.process.returncode}")
        self.process.stdout.close()

    def credentials(self, user):
        """(password, project name) of that user in clouds.yaml."""
        text = (self.directory / "clouds.yaml").read_text()
        for block in re.split(r"\n(?=  \S)", text):
            values = dict(re.findall(r"^\s+(\w+): ['\"]?([^'\"\n]*)", block, re.MULTILINE))
            if values.get("username") == user:
                return values["password"], values["project_name"]
        raise RuntimeError(f"no user {user} in clouds.yaml")

    def login(self, user):
        api = Api(self.address)
        domain = {"name": "Default"}
        password, project = self.credentials(user)
        status, headers, text = api.call("POST", "/v3/auth/tokens", json.dumps({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": user, "password": password, "domain": domain}}},
            "scope": {"project": {"name": project, "domain": domain}}}}))
        if status != 201:
            raise RuntimeError(f"login of {user}: {status} {text[:500]!r}")
        api.token = headers["X-Subject-Token"]
        api.project = json.loads(text)["token"]["project"]["id"]
        return api

    def cpu_seconds(self):
        """What the process has worked so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024
