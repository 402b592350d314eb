"""Reads and plays the data files of cases/: requests, expected answers, later state.

A file is a list of cases; a case is `id`, `title` and `steps`. cases/README.md describes a step.
"""

import base64
import copy
import pathlib
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import yaml

import harness

FOLDER = pathlib.Path(__file__).parent / "cases"
USERS = ("admin", "demo", "alt", "third", "viewer", "nobody")

PATTERNS = {
    "<uuid>": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "<hex32>": r"[0-9a-f]{32}",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "<time_ms>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<string>": r"(?s).*",
    "<text>": r"(?s).+",
}


def load():
    """All cases of the folder, in the order of the files."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            found.append({**case, "file": path.name})
    return found


def difference(expected, actual, where="body"):
    """What `actual` lacks of `expected`; nothing when it matches. Objects match in part."""
    if isinstance(expected, dict):
        return object_difference(expected, actual, where)
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return f"{where}: expected {len(expected)} elements, got {actual!r}"
        pairs = enumerate(zip(expected, actual))
        return next(filter(None, (difference(e, a, f"{where}[{i}]") for i, (e, a) in pairs)), None)
    if isinstance(expected, str):
        return text_difference(expected, actual, where)
    if type(expected) is not type(actual) or expected != actual:
        return f"{where}: expected {expected!r}, got {actual!r}"
    return None


def object_difference(expected, actual, where):
    if set(expected) <= {"<length>", "<contains>", "<all>", "<lacks>"} and expected:
        return list_difference(expected, actual, where)
    if not isinstance(actual, dict):
        return f"{where}: expected an object, got {actual!r}"
    for name, value in expected.items():
        if value == "<absent>":
            if name in actual:
                return f"{where}.{name}: expected to be absent, got {actual[name]!r}"
        elif name not in actual:
            return f"{where}.{name}: absent, expected {value!r}"
        elif found := difference(value, actual[name], f"{where}.{name}"):
            return found
    return None


def list_difference(expected, actual, where):
    if not isinstance(actual, list):
        return f"{where}: expected an array, got {actual!r}"
    if "<length>" in expected and len(actual) != expected["<length>"]:
        return f"{where}: expected {expected['<length>']} elements, got {len(actual)}"
    for wanted in as_list(expected.get("<contains>", [])):
        if all(difference(wanted, element) for element in actual):
            return f"{where}: no element is like {wanted!r} in {actual!r}"
    for unwanted in as_list(expected.get("<lacks>", [])):
        if not all(difference(unwanted, element) for element in actual):
            return f"{where}: an element is like {unwanted!r}"
    for index, element in enumerate(actual):
        if "<all>" in expected and (found := difference(expected["<all>"], element,
                                                        f"{where}[{index}]")):
            return found
    return None


def text_difference(expected, actual, where):
    if expected == "<any>":
        return None
    if expected == "<int>":
        fits = isinstance(actual, int) and not isinstance(actual, bool)
    elif expected in PATTERNS:
        fits = isinstance(actual, str) and re.fullmatch(PATTERNS[expected], actual)
    elif expected.startswith("~"):
        fits = isinstance(actual, str) and re.search(expected[1:], actual)
    else:
        fits = actual == expected
    return None if fits else f"{where}: expected {expected!r}, got {actual!r}"


def as_list(value):
    return value if isinstance(value, list) else [value]


class Player:
    """Plays one case against one server."""

    def __init__(self, server, clients):
        self.server = server
        self.clients = clients
        self.values = {user: client.project_id for user, client in clients.items()
                       if client.project_id}
        self.values["unique"] = uuid.uuid4().hex

    def fill(self, value):
        """`value` with ${names} replaced; a text that is one name alone becomes that value."""
        if isinstance(value, dict):
            return {self.fill(name): self.fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if whole := re.fullmatch(r"\$\{([^}]+)\}", value):
            return self.value(whole.group(1))
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(self.value(found.group(1))), value)

    def value(self, name):
        if name == "random":
            return str(uuid.uuid4())
        if many := re.fullmatch(r"(uuids|names):(\d+)", name):
            return [str(uuid.uuid4()) if many.group(1) == "uuids" else f"project-{index}"
                    for index in range(int(many.group(2)))]
        if name.endswith(":upper"):
            return self.values[name.removesuffix(":upper")].upper()
        if repeat := re.fullmatch(r"repeat:(.+):(\d+)", name):
            return repeat.group(1) * int(repeat.group(2))
        if name.startswith("password:"):
            return self.server.clouds()[name.removeprefix("password:")]["auth"]["password"]
        if name in (f"{user}.user" for user in USERS):
            return self.clients[name.removesuffix(".user")].user_id
        if patch := re.fullmatch(r"patch:properties:(\d+)", name):
            return [{"op": "add", "path": f"/p{index}", "value": "x"}
                    for index in range(int(patch.group(1)))]
        value = self.values[name.split(".")[0]]
        for part in name.split(".")[1:]:
            # A number picks the name or the value of an object with one member.
            value = (list(value.items())[0][int(part)] if part.isdigit() and isinstance(value, dict)
                     else value[part])
        return copy.deepcopy(value)

    def play(self, case):
        for number, step in enumerate(case["steps"], 1):
            try:
                self.step(step)
            except AssertionError as problem:
                raise AssertionError(
                    f"{case['file']}: {case['id']}, step {number} {step}\n{problem}") from None

    def step(self, step):
        if "image" in step:
            self.make_image(self.fill(step))
        elif "job" in step:
            filled = self.fill(step)
            body = self.clients[filled.get("as", "demo")].wait_job(filled["job"])
            self.compare(filled.get("match", {}), body)
        elif "each" in step:
            for element in step["each"]:
                self.values["each"] = self.fill(element)
                self.request(step)
        else:
            self.request(step)

    def make_image(self, step):
        owner = self.clients[step.get("as", "demo")]
        data = step.get("data")
        image = owner.create_image(data.encode() if data is not None else None,
                                   **step.get("fields", {}))
        self.values[step["image"]] = image["id"]
        for user in step.get("share", []):
            member = {"member": self.clients[user].project_id}
            owner.post(f"/v2/images/{image['id']}/members", member).expect(200)
        for user in step.get("accept", []):
            client = self.clients[user]
            client.put(f"/v2/images/{image['id']}/members/{client.project_id}",
                       {"status": "accepted"}).expect(200)

    def request(self, step):
        user = next((name for name in USERS if name in step), None)
        assert user, f"a step names one of {USERS}, image or job"
        filled = self.fill(step)
        method, path = filled[user].split(" ", 1)
        client = self.clients[user]
        count = filled.get("parallel", 1)
        options = {"headers": dict(filled.get("headers", {}))}
        if "patch" in filled:
            options["body"] = harness.dump(filled["patch"])
            options["headers"].setdefault(
                "Content-Type", "application/openstack-images-v2.1-json-patch")
        elif "json" in filled:
            options["body"] = harness.dump(filled["json"])
            options["headers"].setdefault("Content-Type", "application/json")
        elif "body" in filled:
            options["body"] = filled["body"].encode()
        elif "base64" in filled:
            options["body"] = base64.b64decode(filled["base64"])
        elif "data" in filled:
            options["body"] = filled["data"].encode()
            options["headers"].setdefault("Content-Type", "application/octet-stream")
        with ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(lambda _: client.request(method, path, **options),
                                    range(count)))
        self.judge(filled, answers)

    def judge(self, step, answers):
        if "statuses" in step:
            seen = {}
            for answer in answers:
                seen[answer.status] = seen.get(answer.status, 0) + 1
            assert seen == step["statuses"], f"statuses {seen}, expected {step['statuses']}"
            return
        for answer in answers:
            answer.expect(*as_list(step["status"]))
            if "code" in step:
                assert answer.code() in as_list(step["code"]), f"{answer.text}"
            for name, value in step.get("header", {}).items():
                found = text_difference(value, answer.headers.get(name), f"header {name}") \
                    if value != "<absent>" else (
                        name in answer.headers and f"header {name} is there" or None)
                assert not found, found
            for text in as_list(step.get("contains", [])):
                assert text in answer.text, f"{text!r} is not in {answer.text!r}"
            for text in as_list(step.get("lacks", [])):
                assert text not in answer.text, f"{text!r} is in {answer.text!r}"
            if "text" in step:
                assert answer.text == step["text"], f"body {answer.text!r}"
            if "match" in step:
                self.compare(step["match"], answer.json())
            for name, header in step.get("save_header", {}).items():
                self.values[name] = answer.headers[header]
            for name, path in step.get("save", {}).items():
                value = answer.json()
                for part in path.split("."):
                    value = value[int(part)] if isinstance(value, list) else value[part]
                self.values[name] = value

    def compare(self, expected, actual):
        found = difference(expected, actual)
        assert not found, f"{found}\nin {actual!r}"
