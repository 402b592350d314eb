"""Each rule of tidy.py finds the fault it is for, and lets the honest form pass."""

import pathlib

import pytest

import tidy

ROOT = pathlib.Path(__file__).parents[1]
LIBRARIES = "vitrine_library(base)\nvitrine_library(net)\nvitrine_library(api)\n"
UNFINISHED = "TO" + "DO"
REGISTRY = "pypi" + ".org"
SLEEP = "time.sle" + "ep(1)"

# rule, path, text with the fault, text without it
CASES = [
    ("includes_run_down", "src/base/a.cpp", '#include "net/x.hpp"', '#include "base/x.hpp"'),
    ("includes_run_down", "src/base/a.cpp", '#include "x.hpp"', '#include <vector>'),
    ("includes_run_down", "src/service/a.cpp", '#include "store/metadata/sqlite/x.hpp"',
     '#include "store/metadata/x.hpp"'),
    ("includes_run_down", "src/service/a.cpp", '#include "store/metadata/sqlite/x.hpp"',
     '#include "statements.hpp"'),
    ("includes_run_down", "src/identity/a.cpp", '#include "store/blobs/x.hpp"',
     '#include "store/metadata/x.hpp"'),
    ("includes_run_down", "src/api/v1/a.cpp", '#include "net/server.hpp"',
     '#include "net/message.hpp"'),
    ("includes_run_down", "src/api/v1/a.cpp", '#include "store/metadata/x.hpp"',
     '#include "service/sharing.hpp"'),
    ("includes_run_down", "src/main.cpp", '#include "api/x.hpp"', '#include "app/run.hpp"'),
    ("includes_run_down", "src/util/a.cpp", "int x;", None),
    ("columns", "src/base/a.cpp", "// " + "x" * 98, "// " + "x" * 97),
    ("columns", "tests/contract/cases/a.yaml", "# " + "x" * 119, "# " + "x" * 118),
    ("function_length", "src/base/a.cpp",
     "int f(int a,\n      int b) {\n" + "  g();\n" * 68 + "}\n",
     "int f(int a,\n      int b) {\n" + "  g();\n" * 67 + "}\n"),
    ("function_length", "src/base/b.cpp", "TEST(A, b) {\n" + "  g();\n" * 69 + "}\n",
     "namespace a {\n" + "int g();\n" * 100 + "} // namespace a\n"),
    ("function_length", "src/base/c.hpp",
     "class A {\n  int f() {\n" + "    g();\n" * 69 + "  }\n};\n",
     "class A {\n" + "  int f();\n" * 100 + "};\n"),
    ("function_length", "tools/a.py", "def f():\n" + "    g()\n" * 70,
     "def f():\n" + "    g()\n" * 69),
    ("open_ends", "src/base/a.cpp", f"// {UNFINISHED} later", f"// {UNFINISHED} later, #12"),
    ("no_sleep_in_tests", "tests/contract/test_a.py", SLEEP, "wait_until(ready)"),
    ("no_sleep_in_tests", "src/base/a_test.cpp", "std::this_thread::sleep_for(1s);",
     "// sleep_for is not used here"),
    ("belongs_to_a_library", "src/jobs/a.cpp", "int x;", None),
    ("wire_stays_in_net", "src/api/a.cpp", "#include <boost/asio.hpp>",
     "#include <boost/json/value.hpp>"),
    ("wire_stays_in_net", "src/api/a.cpp", "#include <boost/beast/http.hpp>", None),
    ("wire_stays_in_net", "src/api/a.cpp", "co_await f();", "// co_await is for net"),
    ("wire_stays_in_net", "src/base/text.cpp", "#include <boost/json/src.hpp>", None),
    ("co_await_takes_named_variables", "src/net/a.cpp", "co_await f({1, 2});",
     "Args args{1, 2};\nco_await f(std::move(args));"),
    ("co_await_takes_named_variables", "src/net/a.cpp", "co_await f(Args{1, 2}, token);",
     "if (auto n = co_await read(x[i]); n) {\n}"),
    ("co_await_takes_named_variables", "src/net/a.cpp", "co_await post(pool, [this] { g(); });",
     "while (co_await more(token)) {\n}"),
    ("no_try_in_initialisers", "src/base/a.cpp", "A a{.b = {id()}, .c = TRY(f(x))};",
     "A a{.b = {}};\na.c = TRY(f(A{1}));"),
    ("no_try_in_initialisers", "src/base/a.cpp", "A const a{\n    .c = g(TRY(f()).value())};",
     "void f() { return TRY(g()); }\nreturn h([&] {\n  TRY(g());\n});"),
    ("headers", "src/base/a.hpp", "#pragma once\nint f();", "// Says it.\n#pragma once\nint f();"),
    ("headers", "src/base/a.hpp", "// Says it.\nint f();", None),
    ("names", "src/base/TextTools.cpp", "int x;", None),
    ("no_machine_in_the_tree", "tools/a.sh", f"curl https://{REGISTRY}/x", "pip install x"),
    ("no_machine_in_the_tree", "tools/a.sh", "cd /ho" + "me/me/vitrine", "cd ~/vitrine"),
    ("links_resolve", "docs/" + "a.md", "[b](b.md)", "[a](a.md#part) [w](https://example.org)"),
    ("documents_named_exist", "src/base/a.cpp", "// docs/" + "b.md", "// docs/"),
    ("endpoint_is_listed", "src/api/v1/a.cpp", "Endpoint remove_it() {\n}",
     "Endpoint show_it() {\n}"),
    ("every_config_member_is_read", "src/ops/config.hpp",
     "struct JobsConfig {\n  int workers{2};\n};\nstruct Config {\n  JobsConfig jobs;\n};\n",
     "struct LogConfig {\n  int level{2};\n};\nstruct Config {\n  LogConfig log;\n};\n"),
]


def faults(root, path, text):
    (root / "src/api").mkdir(parents=True, exist_ok=True)
    (root / "src/CMakeLists.txt").write_text(LIBRARIES)
    (root / "src/api/endpoints.cpp").write_text("list = { v1::show_it(), };\n")
    (root / "src/ops").mkdir()
    (root / "src/ops/log.cpp").write_text("void f(LogConfig const& c) { g(c.level, d.workers); }\n")
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return [rule for where, _, rule, _ in tidy.faults_of(root) if where == path]


@pytest.mark.parametrize(("rule", "path", "wrong", "right"), CASES)
def test_a_rule_finds_its_fault_and_only_that(tmp_path, rule, path, wrong, right):
    assert rule in faults(tmp_path / "wrong", path, wrong)
    if right is not None:
        assert rule not in faults(tmp_path / "right", path, right)


def test_every_rule_has_a_case():
    assert {rule.__name__ for rule in tidy.RULES} == {case[0] for case in CASES}


def test_literals_and_comments_are_not_code():
    text = 'call("co_await", R"x(co_await)x", \'"\'); // co_await\n/* co_await\n*/ co_await'
    blanked = tidy.code_only(text)
    assert blanked.count("co_await") == 1
    assert blanked.count("\n") == text.count("\n")
    assert len(blanked) == len(text)


def test_this_repository_is_tidy():
    assert [":".join(map(str, fault)) for fault in tidy.faults_of(ROOT)] == []
