#!/usr/bin/env python3
"""Turns a text file into a .cpp with a function that returns it.

embed_text.py SOURCE NAMESPACE::FUNCTION TARGET
"""
import pathlib
import sys


def main():
    source, function, target = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    namespace, _, name = function.rpartition("::")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f'''#include <string_view>

namespace {namespace} {{
std::string_view {name}();
std::string_view {name}() {{ return R"text({source.read_text()})text"; }}
}} // namespace {namespace}
''')


main()
