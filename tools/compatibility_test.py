"""The table of clients is that of the tests and of what passed, and says so when it is not."""

import json
import shutil

import pytest

import compatibility

COPIED = ("docs/compatibility.md", "tests/requirements-clients.txt",
          "tests/clients/gophercloud/go.mod", "tests/clients/passed.json")


@pytest.fixture
def tree(tmp_path):
    """A copy of all that the table depends on."""
    tests = [str(path.relative_to(compatibility.ROOT))
             for path in (compatibility.ROOT / "tests/clients").glob("test_*.py")]
    for name in (*COPIED, *tests):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(compatibility.ROOT / name, tmp_path / name)
    return tmp_path


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def recorded(tree, client):
    return json.loads((tree / "tests/clients/passed.json").read_text())[client]


def report(tree, **clients):
    """What a run of the tests leaves."""
    (tree / "build/reports").mkdir(parents=True, exist_ok=True)
    (tree / "build/reports/clients.json").write_text(json.dumps(clients))


def test_this_repository():
    assert list(compatibility.problems(compatibility.ROOT)) == []


def test_a_client_of_another_version_must_pass_anew(tree):
    replace(tree / "tests/requirements-clients.txt", "otcextensions==", "otcextensions==9.")
    problem, = compatibility.problems(tree)
    assert problem.startswith("otcextensions: ") and "the tests use 9." in problem


def test_a_test_that_is_gone_takes_its_row_along(tree):
    replace(tree / "tests/clients/test_openstacksdk.py", "test_the_life_of", "test_a_life_of")
    problem, = compatibility.problems(tree)
    assert problem.startswith("openstacksdk: its tests are others")


def test_a_client_without_a_test_is_named(tree):
    (tree / "tests/clients/test_terraform.py").unlink()
    assert [problem.split(":")[0] for problem in compatibility.problems(tree)] == [
        "terraform-provider-opentelekomcloud"] * 2


def test_an_operation_that_nothing_shows_is_named(tree):
    replace(tree / "tests/clients/test_huaweicloudsdkims.py", '"copy", "export"', '"export"')
    report(tree, huaweicloudsdkims={**recorded(tree, "huaweicloudsdkims"), "operations":
                                    compatibility.declared(tree)["huaweicloudsdkims"]})
    compatibility.write(tree)
    assert list(compatibility.problems(tree)) == ["huaweicloudsdkims: no test of copy"]
    assert "**no**" in (tree / "docs/compatibility.md").read_text()


def test_what_was_changed_by_hand_is_stale(tree):
    replace(tree / "docs/compatibility.md", "| yes |", "| yes, of course |")
    assert list(compatibility.problems(tree)) == ["docs/compatibility.md is not what was recorded"]


def test_only_a_client_that_passed_all_of_its_tests_is_taken_over(tree):
    row = {**recorded(tree, "huaweicloudsdkims"), "date": "2999-01-01"}
    report(tree, huaweicloudsdkims={**row, "operations": {"tag": row["operations"]["tag"]}})
    compatibility.write(tree)
    assert list(compatibility.problems(tree)) == []
    assert recorded(tree, "huaweicloudsdkims")["date"] != "2999-01-01"
    report(tree, huaweicloudsdkims=row)
    compatibility.write(tree)
    assert list(compatibility.problems(tree)) == []
    assert "| 2999-01-01 |" in (tree / "docs/compatibility.md").read_text()
