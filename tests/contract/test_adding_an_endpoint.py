"""docs/adding-an-endpoint.md is true: the program with that file and line has that endpoint."""

import json
import re
import shlex
import subprocess

import pytest

import harness

BUILD = harness.BINARY.parents[1]
PAGE = (harness.ROOT / "docs/adding-an-endpoint.md").read_text()
FILE, LINE = re.findall(r"```cpp\n(.*?)```", PAGE, re.S)
LAST_LINE = "  X(ops, show_metrics)\n"


def compiled(source, name, folder):
    """An object of `source`, made as the build makes endpoints.cpp."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    model = next(row for row in commands if row["file"].endswith("src/api/endpoints.cpp"))
    (folder / f"{name}.cpp").write_text(source)
    words = shlex.split(model["command"].replace(model["file"], str(folder / f"{name}.cpp")))
    words[words.index("-o") + 1] = str(folder / f"{name}.o")
    subprocess.run(words, cwd=model["directory"], check=True)
    return folder / f"{name}.o"


@pytest.fixture
def changed_program(tmp_path):
    """The program with the page's change: its objects stand before the library they replace."""
    endpoints = (harness.ROOT / "src/api/endpoints.cpp").read_text()
    assert endpoints.count(LAST_LINE) == 1
    objects = [compiled(FILE, "show_quota", tmp_path),
               compiled(endpoints.replace(LAST_LINE, LINE + LAST_LINE), "endpoints", tmp_path)]
    link = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "src/vitrine"], check=True,
                          capture_output=True, text=True).stdout.splitlines()[-1]
    program = tmp_path / "vitrine"
    link = link.replace("-o src/vitrine", f"{shlex.join(map(str, objects))} -o {program}")
    subprocess.run(link, shell=True, cwd=BUILD, check=True)
    return program


@pytest.mark.heavy
@pytest.mark.skipif(not (BUILD / "compile_commands.json").exists(), reason="no build tree")
def test_one_file_and_one_line_make_an_endpoint(changed_program, fresh_server):
    server = fresh_server(binary=changed_program)
    demo = server.client("demo")
    assert demo.get("/v1/cloudimages/quota/image").expect(200).json() == {
        "type": "image", "used": 0, "quota": 100}
    assert demo.get("/v1/cloudimages/quota/none").expect(404).code() == "IMG.0144"
    assert server.client().get("/v1/cloudimages/quota/image").status == 401
    assert demo.request("PUT", "/v1/cloudimages/quota/image").expect(405).headers["Allow"] == "GET"
    document = json.loads(subprocess.run([changed_program, "describe", "openapi"], check=True,
                                         capture_output=True, text=True).stdout)
    described = document["paths"]["/v1/cloudimages/quota/{type}"]["get"]
    assert described["operationId"] == "ims.v1.show_quota"
    assert {"2XX", "401", "403", "404"} <= set(described["responses"])
    assert 'endpoint="ims.v1.show_quota"' in server.client().get("/metrics").text
