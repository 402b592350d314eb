"""A stand-in for OpenStack Nova and Cinder, in this process, on a free port of the loopback.

It answers as the real ones did (recorded/nova_cinder.json, of Nova 34 and Cinder 29): each answer
is a recorded one with the ids, names and states of what is asked for. As they do, it makes images
at the image service with the token that it was shown. tests/components/nova_cinder.py runs the real
ones; what only this one was asked says so in docs/decisions/0033-servers-and-volumes.md.
"""

import contextlib
import copy
import http.server
import json
import pathlib
import re
import threading
import urllib.error
import urllib.request
import uuid

import kit

RECORDED = pathlib.Path(__file__).with_name("recorded") / "nova_cinder.json"
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def recorded():
    """Recorded answers by (method, kind of path, action, status); the last of a kind counts."""
    found = {}
    for one in json.loads(RECORDED.read_text()):
        method, url = one["asked"].split(" ")
        below = re.sub(r"http://\w+/v[\d.]+(/[0-9a-f]{32})?", "", url)
        path = re.sub(ID, "ID", below).split("?")[0]
        action = next(iter(one["body"] or {}), "")
        found[method, path, action, one["status"]] = one["answer"]
    return found


class Refused(Exception):
    """The answer is no good one: a status, and the body as recorded or with this text."""

    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status = status
        self.answer = {kind: {"code": status, "message": message}}


class Cloud:
    """One Nova and one Cinder. Set `image_url` before anything is asked; `hold()` lets whatever was
    begun wait until `go_on()`; what stands in `failing` ("upload", "snapshot", "backup", "restore",
    "removal") fails once it is done, and what stands in `silent` ("compute", "volumes") answers
    503."""

    def __init__(self):
        self.answers = recorded()
        self.image_url = None
        self.servers, self.volumes, self.snapshots, self.backups = {}, {}, {}, {}
        self.failing, self.silent = set(), set()
        self.lock = threading.RLock()
        self.gate = threading.Event()
        self.gate.set()
        self.asked = []  # (method, path, token, service token)
        self.deleted = set()
        self.port = kit.free_port()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler())
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def config(self):
        """The sections of a configuration that lead here."""
        url = f"http://127.0.0.1:{self.port}"
        return (f'[compute]\ndriver = "nova"\nendpoint = "{url}/v2.1"\ntimeout_seconds = 5\n'
                f'[block_storage]\ndriver = "cinder"\nendpoint = "{url}/v3"\nbackup = "cinder"\n'
                'timeout_seconds = 5\n')

    def close(self):
        self.gate.set()
        self.http.shutdown()
        self.http.server_close()

    def hold(self):
        self.gate.clear()

    def go_on(self):
        self.gate.set()

    # What there is.

    def add_volume(self, data, size=1, status="available", image=None, **fields):
        made = str(uuid.uuid4())
        self.volumes[made] = {"data": data, "size": size, "status": status, "name": "a volume",
                              "image": image, "server": None, "encrypted": False, **fields}
        return made

    def add_server(self, data=b"", image="", volumes=(), status="ACTIVE", task=None):
        """One whose system disk has that data, or whose first volume is it."""
        made = str(uuid.uuid4())
        self.servers[made] = {"data": data, "image": image, "volumes": list(volumes),
                              "status": status, "task": task}
        for volume in volumes:
            self.volumes[volume].update(status="in-use", server=made)
        return made

    def add_backup(self, data, size=1, status="available", encrypted=False):
        made = str(uuid.uuid4())
        self.backups[made] = {"data": data, "size": size, "status": status, "name": "a backup",
                              "volume": str(uuid.uuid4()), "encrypted": encrypted}
        return made

    # Documents, made of recorded ones.

    def document(self, method, path, action="", status=200):
        return copy.deepcopy(self.answers[method, path, action, status])

    def show_server(self, made):
        server = self.servers[made]
        answer = self.document("GET", "/servers/ID")
        answer["server"].update(
            id=made, status=server["status"],
            image={"id": server["image"], "links": []} if server["image"] else "")
        answer["server"]["OS-EXT-STS:task_state"] = server["task"]
        return answer

    def show_attachments(self, made):
        one = self.document("GET", "/servers/ID/os-volume_attachments")["volumeAttachments"][0]
        return {"volumeAttachments": [
            {**one, "id": volume, "volumeId": volume, "serverId": made,
             "device": f"/dev/vd{letter}"}
            for volume, letter in zip(self.servers[made]["volumes"], "abcdefgh", strict=False)]}

    def show_volume(self, made):
        volume = self.volumes[made]
        answer = self.document("GET", "/volumes/ID")
        shown = answer["volume"]
        shown.update(id=made, status=volume["status"], size=volume["size"], name=volume["name"],
                     encrypted=volume["encrypted"], attachments=[])
        if volume["server"]:
            shown["attachments"] = [{"server_id": volume["server"], "device": "/dev/vda"}]
        shown.pop("volume_image_metadata", None)
        if volume["image"]:
            shown["volume_image_metadata"] = {"image_id": volume["image"]}
        return answer

    def show_snapshot(self, made):
        answer = self.document("GET", "/snapshots/ID")
        answer["snapshot"].update(id=made, **{name: self.snapshots[made][name]
                                              for name in ("status", "name", "size")})
        return answer

    def show_backup(self, made):
        answer = self.document("GET", "/backups/ID")
        backup = self.backups[made]
        answer["backup"].update(id=made, status=backup["status"], size=backup["size"],
                                name=backup["name"], volume_id=backup["volume"])
        return answer

    # What is done beside the answers.

    def later(self, work):
        def run():
            self.gate.wait()
            with self.lock:
                work()
        threading.Thread(target=run, daemon=True).start()

    def image_call(self, method, path, token, body=None, media="application/json"):
        request = urllib.request.Request(self.image_url + path, body, method=method, headers={
            "X-Auth-Token": token, "Content-Type": media})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def make_image(self, token, document, data, ends):
        """Makes an image at once, and brings its data later; `ends` is told when that is done."""
        image = json.loads(self.image_call("POST", "/v2/images", token,
                                           json.dumps(document).encode()))["id"]

        def bring():
            with contextlib.suppress(urllib.error.URLError):  # it was deleted, or the test is over
                if "upload" in self.failing:
                    self.image_call("DELETE", f"/v2/images/{image}", token)
                elif "silence" not in self.failing:
                    self.image_call("PUT", f"/v2/images/{image}/file", token, data,
                                    "application/octet-stream")
            ends()
        self.later(bring)
        return image

    def create_image(self, made, asked, token):
        server = self.servers[made]
        if server["task"]:
            raise Refused(409, "conflictingRequest",
                          f"Cannot 'createImage' instance {made} while it is in task_state "
                          f"{server['task']}")
        server["task"] = "image_snapshot"
        # A Nova with `snapshot_image_format = raw`, so that any bytes are a disk.
        document = {"name": asked["name"], "disk_format": "raw", "container_format": "bare",
                    "visibility": "private", "min_disk": 1, "image_type": "snapshot",
                    "instance_uuid": made, "base_image_ref": server["image"],
                    "__os_version": "Debian GNU/Linux 12.0.0 64bit", "__description": "of the base"}
        return {"image_id": self.make_image(token, document, server["data"],
                                            lambda: server.update(task=None))}

    def upload_image(self, made, asked, token):
        volume = self.volumes[made]
        if volume["status"] != "available":
            raise Refused(400, "badRequest",
                          f"Invalid volume: Volume {made} status must be available")
        volume["status"] = "uploading"
        image = self.make_image(
            token, {"name": asked["image_name"], "disk_format": asked["disk_format"],
                    "container_format": asked["container_format"], "visibility": "private"},
            volume["data"], lambda: volume.update(status="available"))
        answer = self.document("POST", "/volumes/ID/action", "os-volume_upload_image", 202)
        answer["os-volume_upload_image"].update(id=made, image_id=image, status="uploading",
                                                image_name=asked["image_name"])
        return answer

    def make(self, things, task, values, **done):
        """A new thing that is being created, and then is available, or in error."""
        made = str(uuid.uuid4())
        things[made] = {"status": "creating", **values}

        def end():
            if made in things and things[made]["status"] != "deleting":
                things[made].update(status="error" if task in self.failing else "available", **done)
        self.later(end)
        return made

    def remove(self, things, made, kind):
        if made not in things:
            raise Refused(404, "itemNotFound", f"{kind} {made} could not be found.")
        if things[made]["status"] not in ("available", "error"):
            raise Refused(400, "badRequest", f"Invalid volume: {kind} status must be available or "
                                             "error")
        things[made]["status"] = "deleting"
        self.deleted.add(made)

        def end():
            if "removal" in self.failing:
                things[made]["status"] = "error_deleting"
            else:
                things.pop(made, None)
        self.later(end)

    # Requests.

    def answer(self, method, path, body, token):
        """The status and the document of a request to either of them."""
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")
        if parts[0] == "v2.1":
            return self.of_compute(method, parts[1:], body, token)
        return self.of_volumes(method, parts[2:], query, body, token)

    def of_compute(self, method, parts, body, token):
        if "compute" in self.silent:
            return 503, None
        made = parts[1]
        if made not in self.servers:
            raise Refused(404, "itemNotFound", f"Instance {made} could not be found.")
        if method == "POST":
            return 202, self.create_image(made, body["createImage"], token)
        return 200, self.show_attachments(made) if len(parts) == 3 else self.show_server(made)

    def of_volumes(self, method, parts, query, body, token):
        if "volumes" in self.silent:
            return 503, None
        kind = parts[0]
        things = getattr(self, kind)
        if method == "GET" and len(parts) == 1:
            name = query.removeprefix("name=")
            return 200, {kind: [{"id": made, "name": thing["name"]}
                                for made, thing in things.items() if thing["name"] == name]}
        if method == "POST" and len(parts) == 1:
            return 202, self.create(kind, body)
        made = parts[1]
        if method == "DELETE":
            self.remove(things, made, kind[:-1].capitalize())
            return 202, None
        if made not in things:
            raise Refused(404, "itemNotFound",
                          f"{kind[:-1].capitalize()} {made} could not be found.")
        if method == "GET":
            return 200, getattr(self, f"show_{kind[:-1]}")(made)
        if parts[2] == "restore":
            return 202, self.restore(made, body["restore"])
        return 202, self.upload_image(made, body["os-volume_upload_image"], token)

    def create(self, kind, body):
        asked = body[kind[:-1]]
        answer = self.document("POST", f"/{kind}", kind[:-1], 202)
        if kind == "volumes":
            of = self.snapshots[asked["snapshot_id"]]
            values = {"data": of["data"], "size": of["size"], "image": of["image"], "server": None,
                      "encrypted": False}
        else:
            of = self.volumes[asked["volume_id"]]
            values = {"data": of["data"], "size": of["size"], "image": of["image"],
                      "volume": asked["volume_id"], "encrypted": of["encrypted"]}
        made = self.make(getattr(self, kind), kind[:-1], {"name": asked["name"], **values})
        answer[kind[:-1]].update(id=made, name=asked["name"])
        return answer

    def restore(self, made, asked):
        backup = self.backups[made]
        volume = self.make(self.volumes, "restore", {
            "name": asked["name"], "data": backup["data"], "size": backup["size"], "image": None,
            "server": None, "encrypted": backup["encrypted"]})
        self.volumes[volume]["status"] = "restoring-backup"
        return {"restore": {"backup_id": made, "volume_id": volume, "volume_name": asked["name"]}}

    def handler(self):
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                token = self.headers.get("X-Auth-Token", "")
                with cloud.lock:
                    cloud.asked.append((self.command, self.path, token,
                                        self.headers.get("X-Service-Token")))
                    try:
                        status, answer = cloud.answer(self.command, self.path, body, token)
                    except Refused as refused:
                        status, answer = refused.status, refused.answer
                data = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        return Handler
