"""The API document is valid, names every endpoint served, and tells the truth of statuses."""

import json
import re
import subprocess

import openapi_spec_validator
import pytest

import harness
import identity

DOCUMENT = json.loads(subprocess.run([harness.BINARY, "describe", "openapi"], check=True,
                                     capture_output=True, text=True).stdout)
OPERATIONS = [(verb, path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs]
# Answered with a redirection or several choices, which no error table lists.
VERSIONS = {"/", "/versions", "/v2"}


def documented(verb, path):
    return DOCUMENT["paths"][path][verb]["responses"]


def is_documented(status, responses):
    return str(status) in responses or f"{status // 100}XX" in responses


def test_the_document_is_valid():
    openapi_spec_validator.validate(DOCUMENT)
    assert len(OPERATIONS) > 60
    ids = [DOCUMENT["paths"][path][verb].get("operationId") for verb, path in OPERATIONS]
    names = [name for name in ids if name]
    assert len(names) == len(set(names))
    aliases = [path for (_, path), name in zip(OPERATIONS, ids, strict=True) if not name]
    assert all(path.startswith("/v2.1/") for path in aliases)


@pytest.mark.parametrize("verb,path", [
    (verb, path) for verb, path in OPERATIONS if path not in VERSIONS
    and (identity.DRIVER == "builtin" or not path.startswith("/v3"))])
def test_an_operation_is_served_and_answers_as_documented(server, verb, path):
    target = re.sub(r"\{\w+\}", "0" * 32, path)
    bodies = {"json": {}} if "requestBody" in DOCUMENT["paths"][path][verb] else {}
    open_to_all = DOCUMENT["paths"][path][verb].get("security") == []
    stranger = server.client().request(verb.upper(), target, **bodies)
    assert stranger.status == 401 or open_to_all
    for caller in (stranger, server.client("viewer").request(verb.upper(), target, **bodies)):
        assert caller.status != 405
        assert is_documented(caller.status, documented(verb, path)), caller.text
