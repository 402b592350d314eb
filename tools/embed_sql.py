#!/usr/bin/env python3
"""Turns sql/*.sql (named statements) and migrations/*.sql into statements.{hpp,cpp}.

A statement starts at a line `-- name: lower_snake_case` and ends at the next one; other comment
lines are dropped.
A `-- fragment: name` is text that the statements of the same file take in as `{name}`.
A `-- postgres: name` after the statement of that name is its text for PostgreSQL, where one text
cannot serve both engines.
A migration is a file NNNN_subject.sql, or NNNN_subject.sqlite.sql / .postgres.sql where the
engines differ.
"""
import pathlib
import re
import sys

HEAD = re.compile(r"^-- (name|fragment|postgres): ([a-z0-9_]+)$")


def parts(path):
    """(name, fragment or postgres; its name; text) of each part of a file, in order."""
    head, lines = None, []
    for line in path.read_text().splitlines() + ["-- name: end"]:
        match = HEAD.match(line)
        if match:
            if head:
                yield *head, " ".join(lines).rstrip("; ")
            head, lines = match.groups(), []
        elif head and line.strip() and not line.startswith("--"):
            lines.append(line.strip())


def statements(path):
    """(name, text, text for PostgreSQL or nothing) of each statement and fragment of a file."""
    fragments, named = {}, {}
    for kind, name, text in parts(path):
        for key, value in fragments.items():
            text = text.replace("{" + key + "}", value)
        if (name in named) != (kind == "postgres"):
            sys.exit(f"{path}: {name} is there twice, or for one engine only")
        if kind == "fragment":
            fragments[name] = text
        named[name] = (named[name][0], text) if kind == "postgres" else (text, "")
    return [(name, *texts) for name, texts in named.items()]


def literal(text):
    return 'R"sql(' + text + ')sql"'


def main():
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    named = {}
    for path in sorted((source / "sql").glob("*.sql")):
        for name, text, postgres in statements(path):
            if name in named:
                sys.exit(f"{path}: statement {name} is there twice")
            named[name] = literal(text) + (", " + literal(postgres) if postgres else "")
    header = ['#pragma once', '#include <span>', '#include <string_view>', '',
              'namespace vitrine::store::sql {', '',
              '/// A statement of sql/*.sql; metrics and logs go by its name.',
              'struct Statement {',
              '  std::string_view name, text;',
              '  std::string_view postgres{}; ///< empty: `text` serves PostgreSQL too', '};',
              '/// A migration; `engine` is empty when it serves all.',
              'struct Migration {',
              '  int number;', '  std::string_view name, engine, text;', '};',
              '', 'std::span<Migration const> migrations();', '']
    header += [f"inline constexpr Statement {name}{{\"{name}\", {texts}}};"
               for name, texts in named.items()]
    header += ['', '} // namespace vitrine::store::sql', '']
    body = ['#include "statements.hpp"', '', 'namespace vitrine::store::sql {', 'namespace {',
            'constexpr Migration kMigrations[] = {']
    for path in sorted((source / "migrations").glob("*.sqlite.sql")):
        if not path.with_name(path.name.replace(".sqlite.", ".postgres.")).exists():
            sys.exit(f"{path}: there is none for PostgreSQL")
    for path in sorted((source / "migrations").glob("*.sql")):
        number, rest = path.name[:-len(".sql")].split("_", 1)
        name, _, engine = rest.partition(".")
        body.append(f'{{{int(number)}, "{name}", "{engine}", {literal(path.read_text())}}},')
    body += ['};', '} // namespace',
             'std::span<Migration const> migrations() { return kMigrations; }',
             '} // namespace vitrine::store::sql', '']
    target.parent.mkdir(parents=True, exist_ok=True)
    for suffix, lines in ((".hpp", header), (".cpp", body)):
        target.with_suffix(suffix).write_text("\n".join(lines))


main()
