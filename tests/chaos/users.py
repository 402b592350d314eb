"""What users do to a service under faults, and what they were told.

Every user works on images of its own, one request after the other, so it knows what each image must
be like, but for requests whose answer never came: then several states are possible, and the user
lets that image be. `Image.members` and its like hold what the answers allow.
"""

import http.client
import threading

import harness

NOBODY = "nobody"  # in a set of possible states of a member: no member
PATIENCE_SECONDS = 90  # longer than any fault lasts
ANSWER_SECONDS = 8


class Caller(harness.Client):
    """A client of all replicas: each request goes to one of them, and is sent once."""

    def __init__(self, replicas, cloud, rng):
        self.replicas = replicas
        self.rng = rng
        self.server = replicas[0]
        super().__init__(self.server, cloud)

    def connection(self, path="/"):
        held = super().connection(path)
        held.timeout = ANSWER_SECONDS
        return held

    def once(self, method, path, **options):
        """The answer of some replica, nothing when it is unknown whether the request was done."""
        body, headers = options.get("body"), dict(options.get("headers", {}))
        headers["X-Auth-Token"] = self.token
        if "json" in options:
            body = harness.dump(options["json"])
            headers["Content-Type"] = "application/json"
        answers = []

        def sent():
            self.server = self.rng.choice(self.replicas)
            try:
                answers.append(self.exchange(method, path, body, headers))
            except ConnectionRefusedError:
                return False  # a replica that is down
            except (OSError, http.client.HTTPException):
                pass
            return True

        harness.wait_until(sent, PATIENCE_SECONDS, "a replica that takes a request")
        return next((answer for answer in answers if answer.status < 500), None)

    def read(self, path):
        """The answer to a GET, asked again until there is one."""
        return harness.wait_until(lambda: self.once("GET", path), PATIENCE_SECONDS,
                                  f"an answer to GET {path}")


class Image:
    """What its owner was told of one image."""

    def __init__(self, identifier, data=None, copied=False):
        self.id = identifier
        self.there = {True}
        self.data = {data}
        self.copied = copied
        self.members = {}  # project -> possible states
        self.clouded = False  # an answer is missing; its owner changes it no more

    def state_of(self, project):
        return self.members.get(project, {NOBODY})


class CrowdedImage:
    """An image with nearly as many members as it may have, to which several users add at once."""

    MEMBERS_MAX = 256
    MEMBERS_AT_FIRST = 246

    def __init__(self, owner):
        self.id = owner.create_image(visibility="shared")["id"]
        self.told = {f"first-{n}" for n in range(self.MEMBERS_AT_FIRST)}
        self.possible = set()
        self.refused = 0
        self.lock = threading.Lock()
        for member in self.told:
            self.add(owner.request, member).expect(200)

    def add(self, ask, member):
        return ask("POST", f"/v2/images/{self.id}/members", json={"member": member})

    def join(self, caller, member):
        answer = self.add(caller.once, member)
        with self.lock:
            if answer is None:
                self.possible.add(member)
            elif answer.status == 200:
                self.told.add(member)
            else:
                answer.expect(413)
                self.refused += 1
                assert len(self.told) + len(self.possible) >= self.MEMBERS_MAX

    def check(self, caller):
        answer = caller.read(f"/v2/images/{self.id}/members").expect(200)
        found = {member["member_id"] for member in answer.json()["members"]}
        assert self.told <= found <= self.told | self.possible
        assert len(found) <= self.MEMBERS_MAX and (len(found) == self.MEMBERS_MAX) >= (
            self.refused > 0)


class User(threading.Thread):
    """Works on images of one project until told to stop. `failure` is what went wrong, if any."""

    def __init__(self, replicas, clouds, owner, others, crowded, rng, stopping):
        super().__init__(name=f"user of {owner}")
        self.rng = rng
        self.stopping = stopping
        self.caller = Caller(replicas, clouds[owner], rng)
        others = [Caller(replicas, clouds[name], rng) for name in sorted(others)]
        self.others = {other.project_id: other for other in others}
        self.crowded = crowded
        self.images = []
        self.copies = {}  # name -> the ids that an image of that name may have
        self.jobs = {}  # job id -> body when it had ended
        self.done = 0
        self.failure = None

    def run(self):
        deeds = [self.create, self.share, self.unshare, self.accept, self.delete, self.look,
                 self.look_at_foreign, self.copy, self.crowd]
        try:
            while not self.stopping.is_set():
                self.rng.choices(deeds, [3, 4, 2, 2, 1, 3, 1, 1, 1])[0]()
                self.done += 1
        except BaseException as failure:  # told by whoever joins the thread
            self.failure = failure
            self.stopping.set()

    def pick(self, count=1):
        """Some images that may be changed, fewer when there are not so many."""
        known = [image for image in self.images if not image.clouded and image.there == {True}]
        return self.rng.sample(known, min(count, len(known)))

    def create(self):
        made = self.caller.once("POST", "/v2/images", json={
            "name": "image", "disk_format": "raw", "container_format": "bare"})
        if made is None:
            return
        made.expect(201)
        image = Image(made.json()["id"])
        self.images.append(image)
        data = self.rng.choice([b"the same", self.rng.randbytes(self.rng.randrange(1, 200_000))])
        sent = self.caller.once("PUT", f"/v2/images/{image.id}/file", body=data,
                                headers={"Content-Type": "application/octet-stream"})
        image.clouded = sent is None
        image.data = {None, data} if sent is None else {data}
        if sent is not None and sent.status == 413:
            image.data = {None}  # the store is full
        elif sent is not None:
            sent.expect(204)

    def copy(self):
        for image in self.pick():
            if None in image.data:
                continue
            name = f"copy-{self.rng.randbytes(8).hex()}"
            asked = self.caller.once("POST", f"/v1/cloudimages/{image.id}/copy",
                                     json={"name": name})
            self.copies[name] = {None, "any"}
            if asked is None:
                continue
            if asked.status == 400 and asked.code() == "IMG.0018":
                self.copies[name] = {None}  # not stored, nothing done
                continue
            ended = self.end_of(self.caller, asked.expect(200).json()["job_id"])
            self.copies[name] = {None}
            if ended["status"] == "SUCCESS":
                made = Image(ended["entities"]["image_id"], *image.data, copied=True)
                self.images.append(made)
                self.copies[name] = {made.id}

    def crowd(self):
        if self.crowded:
            self.crowded.join(self.caller, f"later-{self.rng.randbytes(8).hex()}")

    def job(self, method, images, body, become):
        """Asks for a job on pairs; `become` gives the state of a pair that succeeded."""
        pairs = [(image, project) for image in images for project in become]
        asked = self.caller_of(method, body).once(method, "/v1/cloudimages/members", json=body)
        ended = None
        if asked is not None and asked.status == 400 and asked.code() == "IMG.0018":
            return  # not stored, nothing done
        if asked is not None:
            ended = self.end_of(self.caller_of(method, body),
                                asked.expect(200).json()["job_id"])
        for image, project in pairs:
            after = become[project]
            if ended is None:
                image.clouded = True
                image.members[project] = image.state_of(project) | {after}
            elif self.succeeded(ended, image.id, project):
                image.members[project] = {after}

    def end_of(self, caller, job_id):
        ended = harness.wait_until(lambda: self.ended(caller, job_id), PATIENCE_SECONDS,
                                   f"the end of job {job_id}")
        self.jobs[job_id] = (caller, ended)
        return ended

    def caller_of(self, method, body):
        return self.others[body["project_id"]] if method == "PUT" else self.caller

    @staticmethod
    def ended(caller, job_id):
        body = caller.read(f"/v1/{caller.project_id}/jobs/{job_id}").expect(200).json()
        return body if body["status"] in ("SUCCESS", "FAIL") else None

    @staticmethod
    def succeeded(job, image, project):
        """How the job treated one pair."""
        return not any(row["image_id"] == image and row["project_id"] == project
                       and row["status"] == "failed" for row in job["entities"]["results"])

    def projects(self):
        return self.rng.sample(sorted(self.others), self.rng.randrange(1, len(self.others) + 1))

    def share(self):
        images, projects = self.pick(5), self.projects()
        images = [image for image in images
                  if all(image.state_of(project) == {NOBODY} for project in projects)]
        if images:
            self.job("POST", images, {"images": [image.id for image in images],
                                      "projects": projects}, dict.fromkeys(projects, "pending"))

    def unshare(self):
        images, projects = self.pick(3), self.projects()
        images = [image for image in images
                  if not any(NOBODY in image.state_of(project) for project in projects)]
        if images:
            self.job("DELETE", images, {"images": [image.id for image in images],
                                        "projects": projects}, dict.fromkeys(projects, NOBODY))

    def accept(self):
        [project] = self.rng.sample(sorted(self.others), 1)
        images = [image for image in self.pick(5) if image.state_of(project) == {"pending"}]
        if images:
            self.job("PUT", images, {"images": [image.id for image in images],
                                     "project_id": project, "status": "accepted"},
                     {project: "accepted"})

    def delete(self):
        for image in self.pick():
            gone = self.caller.once("DELETE", f"/v2/images/{image.id}")
            image.clouded = True
            image.there = {True, False} if gone is None else {False}
            if gone is not None:
                gone.expect(204)

    def look(self):
        for image in self.pick():
            self.check(image)

    def check(self, image):
        """What is there is what this user was told; by every replica, at any moment."""
        shown = self.caller.read(f"/v2/images/{image.id}").expect(200, 404)
        assert (shown.status == 200) in image.there, (image.id, shown, image.there)
        if shown.status == 404:
            return
        sizes = {data and len(data) for data in image.data}
        assert shown.json()["size"] in sizes, (image.id, shown, sizes)
        if None not in image.data:
            assert shown.json()["status"] == "active", shown
        members = self.caller.read(f"/v2/images/{image.id}/members").expect(200).json()["members"]
        found = {member["member_id"]: member["status"] for member in members}
        for project in {*found, *image.members}:
            assert found.get(project, NOBODY) in image.state_of(project), (
                image.id, project, found, image.members)

    def check_copies(self):
        """A copy is one image or none, whatever befell the one who made it."""
        deleted = {image.id for image in self.images if image.there != {True}}
        for name, possible in self.copies.items():
            answer = self.caller.read(f"/v2/images?name={name}").expect(200)
            found = [image["id"] for image in answer.json()["images"]]
            assert len(found) <= 1, (name, found)
            assert not found or found[0] in possible or "any" in possible, (name, found, possible)
            assert found or None in possible or possible <= deleted, (name, possible)

    def look_at_foreign(self):
        """An image that was never shared is nobody's to see."""
        for image in self.pick():
            if not image.members:
                for other in self.others.values():
                    assert other.read(f"/v2/images/{image.id}").status == 404
