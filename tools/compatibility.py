"""Writes or checks docs/compatibility.md: what real clients do with the program, unchanged.

usage: compatibility.py write|check

A test of tests/clients says by `@pytest.mark.client(CLIENT, OPERATION...)` what it shows when it
passes. The stage `clients` leaves what passed in build/reports/clients.json; `write` takes it into
tests/clients/passed.json, and makes the document of that. Clients that did not run, as they need a
checkout, stay as they were.
"""

import argparse
import ast
import json
import pathlib
import re
import sys
import textwrap
import typing

ROOT = pathlib.Path(__file__).resolve().parents[1]
OPERATIONS = ("create", "share", "accept", "tag", "copy", "export", "delete")


class Client(typing.NamedTuple):
    what: str
    lacks: tuple = ()  # operations for which it has no call
    note: str = ""


NATIVE = ("copy", "export")  # which the OpenStack API does not know
CLIENTS = {
    "python-openstackclient": Client("the command line of OpenStack", NATIVE),
    "openstacksdk": Client("the Python SDK of OpenStack", NATIVE),
    "gophercloud": Client("the Go SDK of OpenStack", NATIVE),
    "otcextensions": Client(
        "the Open Telekom Cloud's addition to openstacksdk", ("copy",),
        "`update_image` changes the image and then raises `AttributeError` in the client: it reads "
        "what openstacksdk took away in 4.5."),
    "huaweicloudsdkims": Client("the Python SDK of Huawei Cloud, with access keys"),
    "gophertelekomcloud": Client(
        "the Go SDK of the Open Telekom Cloud, with passwords and access keys",
        note="Needs a checkout, which VITRINE_GOPHERTELEKOMCLOUD names."),
    "terraform-provider-opentelekomcloud": Client(
        "terraform with the provider of the Open Telekom Cloud",
        NATIVE, "With passwords and access keys. A second plan is empty. Needs terraform and a "
        "checkout, which VITRINE_TERRAFORM_PROVIDER names, beside that of gophertelekomcloud."),
}

HEAD = """
Written by `./dev gen` from what passed in `./dev test clients`; change the tests of tests/clients,
not this. Each client is used as published, against the real program, with passwords unless it says
otherwise. "passed" is the day of the last run that was taken over; "yes": it passed; "-": the
client has no call for it.
"""
TAIL = """
Images of servers, volumes and backups: what the SDKs that can ask for them were tried on is the
documented refusal where neither Nova nor Cinder is configured. With those, the requests of these
images come from tests of the API alone, most to a stand-in (decisions/0033-servers-and-volumes.md).
"""


def declared(root):
    """{client: {operation: [test]}} as the tests say it."""
    found = {}
    for path in sorted((root / "tests/clients").glob("test_*.py")):
        for function in ast.parse(path.read_text()).body:
            for mark in getattr(function, "decorator_list", []):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.client":
                    name, *operations = [argument.value for argument in mark.args]
                    for operation in operations:
                        found.setdefault(name, {}).setdefault(operation, []).append(
                            f"{path.name}::{function.name}")
    return found


def pinned(root):
    """{client: version} of those that the tests install themselves."""
    requirements = (root / "tests/requirements-clients.txt").read_text()
    versions = dict(re.findall(r"^([\w.-]+)==(\S+)$", requirements, re.MULTILINE))
    module = (root / "tests/clients/gophercloud/go.mod").read_text()
    versions["gophercloud"] = re.search(r"gophercloud/v2 (v\S+)", module)[1]
    return {name: version for name, version in versions.items() if name in CLIENTS}


def wrapped(text):
    return textwrap.fill(text.strip(), 120, subsequent_indent="  " if text.startswith("- ") else "",
                         break_long_words=False, break_on_hyphens=False)


def table(record):
    yield "| client | version | passed | " + " | ".join(OPERATIONS) + " |"
    yield "| --- " * (3 + len(OPERATIONS)) + "|"
    for name, client in CLIENTS.items():
        row = record.get(name, {"version": "", "date": "never", "operations": {}})
        cells = ["-" if operation in client.lacks else
                 "yes" if operation in row["operations"] else "**no**" for operation in OPERATIONS]
        yield f"| {name} | {row['version']} | {row['date']} | {' | '.join(cells)} |"


def render(record):
    """The document."""
    notes = [wrapped(f"- **{name}**: {client.what}. {client.note}".rstrip())
             for name, client in CLIENTS.items()]
    return "\n".join(["# Clients", "", wrapped(HEAD), "", *table(record), "", *notes, "",
                      "## What no client was tried on", "", wrapped(TAIL), ""])


def read_json(path):
    return json.loads(path.read_text()) if path.exists() else {}


def problems(root):
    """What is wrong with the record, the document and the tests, one line each."""
    record = read_json(root / "tests/clients/passed.json")
    tests, pins = declared(root), pinned(root)
    for name in sorted(set(tests) ^ set(CLIENTS)):
        yield f"{name}: only one of the tests and tools/compatibility.py knows it"
    for name, row in record.items():
        if row["operations"] != tests.get(name):
            yield f"{name}: its tests are others than those that passed on {row['date']}"
        if row["version"] != pins.get(name, row["version"]):
            yield f"{name}: {row['version']} passed, the tests use {pins[name]}"
    for name, client in CLIENTS.items():
        if name not in record:
            yield f"{name}: never passed"
        elif missing := set(OPERATIONS) - set(client.lacks) - set(record[name]["operations"]):
            yield f"{name}: no test of {', '.join(sorted(missing))}"
    document = root / "docs/compatibility.md"
    if not document.exists() or document.read_text() != render(record):
        yield "docs/compatibility.md is not what was recorded"


def write(root):
    path, tests = root / "tests/clients/passed.json", declared(root)
    record = {name: row for name, row in read_json(path).items() if name in tests}
    for name, row in read_json(root / "build/reports/clients.json").items():
        if row["operations"] == tests.get(name):  # all of its tests ran, not a choice of them
            record[name] = row
    path.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    (root / "docs/compatibility.md").write_text(render(record))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["write", "check"])
    if parser.parse_args().what == "write":
        write(ROOT)
    wrong = list(problems(ROOT))
    for problem in wrong:
        print(f"compatibility: {problem}; run ./dev test clients, then ./dev gen", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
