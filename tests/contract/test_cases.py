"""Plays every case of cases/*.yaml against the shared server."""

import pytest

import cases
from identity import builtin_only

OF_BUILTIN = {"identity.yaml"}


@pytest.mark.parametrize("case", [
    pytest.param(case, id=f"{case['file'].removesuffix('.yaml')}:{case['id']}",
                 marks=[builtin_only] if case["file"] in OF_BUILTIN else [])
    for case in cases.load()])
def test_case(case, server, admin, demo, alt, third, viewer, nobody):
    clients = {"admin": admin, "demo": demo, "alt": alt, "third": third, "viewer": viewer,
               "nobody": nobody}
    cases.Player(server, clients).play(case)


def test_case_ids_are_unique():
    ids = [(case["file"], case["id"]) for case in cases.load()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("expected", "actual", "matches"), [
    ({"a": 1}, {"a": 1, "b": 2}, True),
    ({"a": 1}, {"a": True}, False),
    ({"a": "<absent>"}, {"b": 2}, True),
    ({"a": "<absent>"}, {"a": None}, False),
    ({"a": None}, {}, False),
    ([1, 2], [1, 2, 3], False),
    ({"<length>": 1, "<all>": {"x": "<int>"}}, [{"x": 3}], True),
    ({"<contains>": {"x": 3}}, [{"x": 2}], False),
    ({"<lacks>": {"x": 3}}, [{"x": 3}], False),
    ("<time>", "2025-03-04T05:06:07Z", True),
    ("<time>", "2025-03-04T05:06:07.000Z", False),
    ("~^a+$", "aaa", True),
    ("~^a+$", "aab", False),
])
def test_the_matcher_itself(expected, actual, matches):
    assert (cases.difference(expected, actual) is None) == matches
