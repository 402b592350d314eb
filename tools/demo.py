"""The main job on real input: make projects, upload images, share them in bulk, use them.

usage: demo.py --binary PATH --images FOLDER [--directory DIR] [--exit]

Starts the program on an empty directory, does what an operator and his projects would do, checks
every result, and keeps serving until Ctrl-C (or ends at once with --exit). Standard library only.
"""

import argparse
import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
OWNER = "demo"  # of clouds.yaml, as some of those who are not asked yet: to go on with
PENDING = ["alt", "third"]
RECIPIENTS = ["web-shop", "data-lab"]
JOB_SECONDS_MAX = 60
INTERRUPTED = 130  # the status of what Ctrl-C has ended
FORMATS = {".iso": "iso", ".raw": "raw"}


class Failed(Exception):
    """Something did not go as it must; the text says what."""


def say(text):
    print(text, flush=True)


def read_clouds(path):
    """The clouds of a clouds.yaml: nested maps of scalars, which is all that this file holds."""
    root, stack = {}, []
    for line in path.read_text().splitlines():
        found = re.match(r"( *)([\w.-]+):\s*(.*?)\s*$", line)
        if not found:
            continue
        depth, name, value = len(found.group(1)), found.group(2), found.group(3)
        while stack and stack[-1][0] >= depth:
            stack.pop()
        holder = stack[-1][1] if stack else root
        if value:
            holder[name] = value.strip("'\"")
        else:
            holder[name] = {}
            stack.append((depth, holder[name]))
    return root["clouds"]


class Api:
    """One user's view of the service."""

    def __init__(self, address, auth):
        self.address = address
        self.token = None
        body = {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": auth["username"], "password": auth["password"],
                "domain": {"name": "Default"}}}},
            "scope": {"project": {"name": auth["project_name"], "domain": {"name": "Default"}}}}}
        headers, answer = self.exchange("POST", "/v3/auth/tokens", body, 201)
        self.token = headers["X-Subject-Token"]
        self.project_id = answer["token"]["project"]["id"]

    def exchange(self, method, path, body=None, status=200, data=None):
        """(headers, JSON body) of one request; any other status is the end of the demo."""
        headers = {"Accept": "application/json"}
        if self.token:
            headers["X-Auth-Token"] = self.token
        if data is not None:
            headers["Content-Type"] = "application/octet-stream"
        elif body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != status:
                raise Failed(f"{method} {path}: {response.status}, expected {status}: "
                             f"{answer.decode('utf-8', 'replace')[:500]}")
            return response.headers, json.loads(answer) if answer else None

    def call(self, method, path, body=None, status=200):
        return self.exchange(method, path, body, status)[1]

    def digests_of_download(self, image_id):
        """(size, md5, sha512) of the image's data as this user gets it."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", f"/v2/images/{image_id}/file",
                               headers={"X-Auth-Token": self.token})
            response = connection.getresponse()
            if response.status != 200:
                raise Failed(f"download of {image_id}: {response.status}")
            return digests(response)


def digests(stream):
    size, md5, sha512 = 0, hashlib.md5(), hashlib.sha512()
    while block := stream.read(1 << 20):
        size += len(block)
        md5.update(block)
        sha512.update(block)
    return size, md5.hexdigest(), sha512.hexdigest()


def port_to_take():
    """The port of image services when it is free, else any."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 9292))
            return 9292
        except OSError:
            return 0


def start(binary, directory, lock):
    """(process, address) of a server that is ready. It ends with us, whatever ends us, and holds
    the lock as long as it lives."""
    command = [str(binary), "serve", "--standalone", str(directory), "--demo",
               "--listen", f"127.0.0.1:{port_to_take()}"]
    say("$ " + " ".join(command))
    log = (directory.with_name(directory.name + ".log")).open("wb")
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], text=True,
                               stdout=subprocess.PIPE, stderr=log, pass_fds=[lock.fileno()],
                               start_new_session=True)  # Ctrl-C is ours
    line = process.stdout.readline()
    found = re.fullmatch(r"ready http://([\d.]+):(\d+)\n", line)
    if not found:
        process.terminate()
        raise Failed(f"the server did not get ready ({line!r}); see {log.name}")
    say(line.strip())
    return process, (found.group(1), int(found.group(2)))


def make_projects(admin, address):
    """Makes the projects and a user for each; the users' views by project name."""
    say("\n1. Two projects, each with a user, beside those of clouds.yaml")
    role = admin.call("GET", "/v3/roles?name=member")["roles"][0]["id"]
    views = {}
    for name in RECIPIENTS:
        project = admin.call("POST", "/v3/projects", {"project": {
            "name": name, "domain_id": "default"}}, 201)["project"]
        password = secrets.token_urlsafe(16)
        user = admin.call("POST", "/v3/users", {"user": {
            "name": name, "password": password, "domain_id": "default"}}, 201)["user"]
        grant = f"/v3/projects/{project['id']}/users/{user['id']}/roles/{role}"
        admin.call("PUT", grant, None, 204)
        views[name] = Api(address, {"username": name, "password": password, "project_name": name})
        say(f"   {name:14} {project['id']}")
    return views


def upload_images(owner, folder):
    """Uploads every sample; (document, digests of the file) of each image."""
    say(f"\n2. Real disk images, uploaded by {OWNER}")
    images = []
    for path in sorted(path for path in folder.iterdir() if path.suffix in FORMATS):
        with path.open("rb") as file:
            expected = digests(file)
        image = owner.call("POST", "/v2/images", {
            "name": path.stem, "disk_format": FORMATS[path.suffix],
            "container_format": "bare"}, 201)
        with path.open("rb") as file:
            owner.exchange("PUT", f"/v2/images/{image['id']}/file", status=204, data=file)
        image = owner.call("GET", f"/v2/images/{image['id']}")
        seen = (image["size"], image["checksum"], image["os_hash_value"])
        if image["status"] != "active" or seen != expected:
            raise Failed(f"{path.name}: stored as {image['status']} {seen}, expected {expected}")
        images.append((image, expected))
        say(f"   {image['id']}  {image['name']:20} {image['size']:>9} bytes  md5 {expected[1]}")
    if not images:
        raise Failed(f"no images in {folder}")
    return images


def share(owner, images, projects):
    """One request for every pair of image and project; follows its job to the end."""
    pairs = len(images) * len(projects)
    say(f"\n3. {len(images)} images shared with {len(projects)} projects by one request")
    job_id = owner.call("POST", "/v1/cloudimages/members", {
        "images": [image["id"] for image, _ in images], "projects": projects})["job_id"]
    deadline, last = time.monotonic() + JOB_SECONDS_MAX, None
    while True:
        job = owner.call("GET", f"/v1/{owner.project_id}/jobs/{job_id}")
        percent = 100 if job["status"] == "SUCCESS" else min(
            99, int(100 * job["entities"].get("process_percent", 0)))  # 100 % is the end
        line = f"   job {job_id}  {job['status']:8} {percent:3} %"
        if line != last:
            print(f"\r{line}" if sys.stdout.isatty() else line,
                  end="" if sys.stdout.isatty() else "\n", flush=True)
        last = line
        if job["status"] in ("SUCCESS", "FAIL"):
            break
        if time.monotonic() > deadline:
            raise Failed(f"the job is still {job['status']} after {JOB_SECONDS_MAX} s")
        time.sleep(0.05)
    if sys.stdout.isatty():
        say("")
    if job["status"] != "SUCCESS":
        raise Failed(f"the job ended {job['status']}: {job['error_code']} {job['fail_reason']}")
    done = [pair for pair in job["entities"]["results"] if pair["status"] == "success"]
    if len(done) != pairs:
        raise Failed(f"{len(done)} of {pairs} pairs in the results of the job")
    say(f"   {pairs} of {pairs} pairs shared")


def use(name, recipient, images):
    """Accepts the images as a recipient, lists and downloads them, compares checksums."""
    wanted = {image["id"] for image, _ in images}
    job_id = recipient.call("PUT", "/v1/cloudimages/members", {
        "images": sorted(wanted), "project_id": recipient.project_id,
        "status": "accepted"})["job_id"]
    deadline = time.monotonic() + JOB_SECONDS_MAX
    path = f"/v1/{recipient.project_id}/jobs/{job_id}"
    while (job := recipient.call("GET", path))["status"] in ("INIT", "RUNNING"):
        if time.monotonic() > deadline:
            raise Failed(f"{name}: the job is still {job['status']}")
        time.sleep(0.05)
    if job["status"] != "SUCCESS":
        raise Failed(f"{name}: {job['error_code']} {job['fail_reason']}")
    listed = {image["id"] for image in recipient.call("GET", "/v2/images?limit=1000")["images"]}
    if not wanted <= listed:
        raise Failed(f"{name} does not list {sorted(wanted - listed)}")
    for image, expected in images:
        if recipient.digests_of_download(image["id"]) != expected:
            raise Failed(f"{name}: {image['name']} differs from what was uploaded")
        say(f"   {name:14} accepted and downloaded {image['name']:20} MD5 and SHA-512 agree")


def demonstrate(address, clouds_path, folder):
    clouds = read_clouds(clouds_path)
    auth = {cloud["auth"]["username"]: cloud["auth"] for cloud in clouds.values()}
    views = make_projects(Api(address, auth["admin"]), address)
    views |= {name: Api(address, auth[name]) for name in (OWNER, *PENDING)}
    images = upload_images(views[OWNER], folder)
    share(views[OWNER], images, [views[name].project_id for name in RECIPIENTS + PENDING])
    say("\n4. Accepted and used by two of the recipients")
    for name in RECIPIENTS:
        use(name, views[name], images)
    return images[0][0]["id"]


def tell_how_to_go_on(address, clouds_path, image_id):
    say(f"\n5. To go on: {clouds_path}\n")
    say(clouds_path.read_text())
    say(f"   export OS_CLIENT_CONFIG_FILE={clouds_path}\n"
        f"   openstack --os-cloud {OWNER} image list\n"
        f"   openstack --os-cloud {PENDING[0]} image list --shared --member-status pending\n"
        f"   openstack --os-cloud {PENDING[0]} image set --accept {image_id}\n"
        f"   curl http://{address[0]}:{address[1]}/healthcheck")


def serve(options):
    directory = options.directory
    # The directory is emptied below: never under a demo that still serves from it.
    lock = directory.with_name(directory.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Failed(f"another demo serves {directory}; end it, or name a --directory") from None
    if options.is_default:
        shutil.rmtree(directory, ignore_errors=True)
    elif directory.exists() and any(directory.iterdir()):
        raise Failed(f"{directory} is not empty")
    process, address = start(options.binary, directory, lock)
    serving = False
    try:
        image_id = demonstrate(address, directory / "clouds.yaml", options.images)
        if not options.exit:
            tell_how_to_go_on(address, directory / "clouds.yaml", image_id)
            serving = True
            say("\nServing; Ctrl-C ends it.")
            while process.poll() is None:  # a signal just before an endless wait would be lost
                time.sleep(0.1)
            raise Failed(f"the server ended by itself with status {process.returncode}")
    except KeyboardInterrupt:
        say("")
        if not serving:
            raise
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        status = process.wait()
    if status != 0:
        raise Failed(f"the server ended with status {status}")
    say("\nThe server has ended.")


def end(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description="Shares real disk images in bulk.")
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--directory", type=pathlib.Path)
    parser.add_argument("--exit", action="store_true", help="end instead of serving on")
    options = parser.parse_args()
    options.is_default = options.directory is None
    options.directory = (options.directory or ROOT / ".cache/demo").absolute()
    options.directory.parent.mkdir(parents=True, exist_ok=True)
    # As Ctrl-C does, which a shell makes a background job ignore. So does nohup with SIGHUP.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) != signal.SIG_IGN:
            signal.signal(ending, end)
    try:
        serve(options)
    except Failed as problem:
        print(f"\ndemo: FAILED: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before all was shown
        return INTERRUPTED
    except BrokenPipeError:  # who read what we say has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
