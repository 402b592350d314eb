"""Holds the rules of this repository that no compiler knows.

usage: tidy.py [ROOT]     prints `path:line: rule: text` for each fault; status 1 when there is one

Each rule is one function over one file, listed in RULES, and proven by a case in tidy_test.py.
"""

import ast
import pathlib
import re
import sys
from dataclasses import dataclass, field

COLUMNS_MAX = 100
COLUMNS_MAX_OF_DATA = 120  # test cases and SQL, where a line is one record
FUNCTION_LINES_MAX = 70
SKIPPED_FOLDERS = {".git", ".cache", "__pycache__", "data", "node_modules", ".pytest_cache"}
TEXT_SUFFIXES = {".cpp", ".hpp", ".py", ".sh", ".sql", ".yaml", ".yml", ".toml", ".cmake", ".md",
                 ".txt", ".go", ".json", ""}

# Which folder of src/ may include which: a folder name allows all of it, a pattern allows headers.
PORTS = r"store/(?!s3/)\w+/\w+\.hpp"  # s3 is what drivers share
INCLUDES = {
    "base": [],
    "model": ["base"],
    "formats": ["base"],
    "convert": ["base", "formats"],
    "ops": ["base"],
    "net": ["base", "ops"],
    "store": ["base", "model", "ops", "net"],
    "cloud": ["base", "model", "ops", "net"],
    "identity": ["base", "model", "ops", "net", r"store/metadata/\w+\.hpp"],
    "service": ["base", "model", "formats", "convert", PORTS],
    "jobs": ["base", "model", "ops", "service", "formats", "convert", r"cloud/\w+\.hpp", PORTS],
    "api": ["base", "model", "ops", "service", "identity", "jobs", r"net/message\.hpp"],
    "console": ["base", "model", "ops", "service", "identity", "jobs", r"net/message\.hpp"],
    "app": [".*"],
    "main": ["app"],
}
GENERATED_HEADERS = {"statements.hpp"}  # of tools/embed_sql.py
# Tests run services on a real store, so a test may name a driver.
INCLUDES_OF_TESTS = ["store"]


@dataclass
class File:
    path: pathlib.PurePosixPath  # relative to the root
    text: str
    root: pathlib.Path
    lines: list[str] = field(init=False)

    def __post_init__(self):
        self.lines = self.text.split("\n")

    @property
    def suffix(self):
        return self.path.suffix

    @property
    def is_cpp(self):
        return self.suffix in (".cpp", ".hpp")

    @property
    def is_test(self):
        return self.path.parts[0] == "tests" or self.path.stem.endswith("_test")

    @property
    def folder(self):
        """Folder of src/ the file belongs to, `main` for src/main.cpp, else nothing."""
        parts = self.path.parts
        if parts[0] != "src" or not self.is_cpp:
            return None
        return parts[1] if len(parts) > 2 else self.path.stem


def code_only(text):
    """C++ with comments and the inside of literals blanked out; lines and columns stay."""
    pattern = re.compile(
        r"//[^\n]*|/\*.*?\*/|R\"(\w*)\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|(?<!\w)'(?:\\.|[^'\\\n])+'",
        re.DOTALL)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def includes_run_down(file):
    """A folder includes only what INCLUDES allows."""
    folder = file.folder
    if folder is None:
        return
    if folder not in INCLUDES:
        yield 1, f"src/{folder} is in no row of the include table of tools/tidy.py"
        return
    allowed = [folder] + INCLUDES[folder] + (INCLUDES_OF_TESTS if file.is_test else [])
    for number, line in enumerate(file.lines, 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found:
            continue
        target = found.group(1)
        if target in GENERATED_HEADERS:
            continue
        if "/" not in target:
            yield number, f'"{target}" must be named from src/, as "folder/file.hpp"'
        elif target.split("/")[0] not in allowed and not any(
                re.fullmatch(pattern, target) for pattern in allowed):
            yield number, f"{folder} may not include {target}"


def columns(file):
    """No line is too wide to read."""
    if file.suffix in (".md", ".json", ".go", ".txt") and file.path.name != "CMakeLists.txt":
        return
    if "generated" in file.path.parts:  # printed by the program, one record a line
        return
    most = COLUMNS_MAX_OF_DATA if file.suffix in (".yaml", ".sql") else COLUMNS_MAX
    for number, line in enumerate(file.lines, 1):
        if len(line) > most:
            yield number, f"{len(line)} columns, at most {most}"


CONTROL = re.compile(r"(namespace|class|struct|enum|union|extern|if|else|for|while|switch|do|try|"
                     r"\}|#|case|default|public|private|protected)\b|\}|#")


def function_length(file):
    """No function is longer than FUNCTION_LINES_MAX lines, signature and braces included."""
    if file.suffix == ".py":
        try:
            tree = ast.parse(file.text)
        except SyntaxError as problem:
            yield problem.lineno or 1, "does not parse"
            return
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    yield node.lineno, f"{node.name} has {length} lines"
    if not file.is_cpp:
        return
    # clang-format puts a closing brace at the indentation of the statement that opened it.
    lines = code_only(file.text).split("\n")
    opened = {}  # indentation -> index of the last line that starts there
    for index, line in enumerate(lines):
        stripped = line.strip()
        indentation = len(line) - len(line.lstrip())
        if re.match(r"\}[;)]*$", stripped) and indentation in opened:
            start = opened[indentation]
            statement = " ".join(lines[start:index]).split("{")[0]
            length = index - start + 1
            if ("(" in statement and not CONTROL.match(statement.strip())
                    and length > FUNCTION_LINES_MAX):
                yield start + 1, f"function has {length} lines, at most {FUNCTION_LINES_MAX}"
        if stripped and not stripped.startswith("#") and not re.match(r"\)", stripped):
            opened[indentation] = index


def open_ends(file):
    """A note about unfinished work names its issue."""
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3 + ":"])
    for number, line in enumerate(file.lines, 1):
        if re.search(rf"\b({words})", line) and not re.search(r"#\d+", line):
            yield number, "unfinished work without the number of its issue (#123)"


# wait_until, the one loop that looks again; and a measurement, which judges nothing by a pause.
WAITS_ALLOWED = {"tests/contract/harness.py", "tests/bench/bench.py", "tests/bench/service.py"}


def no_sleep_in_tests(file):
    """Tests wait for a condition, never for a time."""
    if not file.is_test or str(file.path) in WAITS_ALLOWED or file.path.parts[0] == "tools":
        return
    if file.suffix not in (".cpp", ".hpp", ".py", ".go", ".sh"):
        return
    text = code_only(file.text) if file.is_cpp else file.text
    for found in re.finditer(
            r"\b(sleep_for|sleep_until|usleep|nanosleep|time\.sleep|time\.Sleep)\b", text):
        yield line_of(text, found.start()), f"{found.group()} in a test"


def belongs_to_a_library(file):
    """Every source file is built: it lies in a folder with a library, or is src/main.cpp."""
    if file.folder is None or file.suffix != ".cpp" or str(file.path) == "src/main.cpp":
        return
    listing = file.root / "src/CMakeLists.txt"
    text = listing.read_text() if listing.exists() else ""
    if not re.search(rf"vitrine_library\({re.escape(file.folder)}\b", text):
        yield 1, f"src/{file.folder} has no vitrine_library() in src/CMakeLists.txt"


def wire_stays_in_net(file):
    """Asio, Beast and coroutines are the business of src/net alone; Boost.JSON is compiled once."""
    if file.folder is None:
        return
    code = code_only(file.text)
    for found in re.finditer(r"#\s*include\s*<boost/(asio|beast)\b", code):
        if file.folder != "net":
            yield line_of(code, found.start()), f"boost/{found.group(1)} outside net/"
    for found in re.finditer(r"\bco_(await|return|yield)\b", code):
        if file.folder != "net":
            yield line_of(code, found.start()), f"{found.group()} outside net/"
    for found in re.finditer(r"#\s*include\s*<boost/json/src\.hpp>", code):
        if str(file.path) != "src/base/json.cpp":
            yield line_of(code, found.start()), "boost/json/src.hpp outside base/json.cpp"


def co_await_operand(code, start):
    """The text a co_await at `start` waits for: up to the end of its statement or condition."""
    depth = 0
    for offset in range(start, len(code)):
        char = code[offset]
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        if depth < 0 or (char == ";" and depth == 0):
            return code[start:offset]
    return code[start:]


def co_await_takes_named_variables(file):
    """g++ 12 destroys a temporary aggregate or lambda inside a co_await expression twice."""
    if not file.is_cpp:
        return
    code = code_only(file.text)
    for found in re.finditer(r"\bco_await\b", code):
        operand = co_await_operand(code, found.end())
        if "{" in operand or re.search(r"(^|[(,=\s])\[[^\]\[]*\]\s*[({]", operand):
            yield line_of(code, found.start()), "name the aggregate or lambda before co_await"


def opens_an_initialiser(code, brace):
    """Whether the `{` at `brace` starts a list of values; clang-format sets a block apart."""
    return re.match(r"\{(\S|\s*\n\s*[.{])", code[brace:]) is not None


def no_try_in_initialisers(file):
    """g++ 12 leaks the members already built when a TRY inside a braced initialiser returns."""
    if not file.is_cpp:
        return
    code = code_only(file.text)
    for found in re.finditer(r"\bTRY\(", code):
        depth = 0
        for offset in range(found.start() - 1, -1, -1):
            char = code[offset]
            if char in ")}":
                depth += 1
            elif char in "({" and depth > 0:
                depth -= 1
            elif char == ";" and depth == 0:
                break
            elif char == "{":
                if opens_an_initialiser(code, offset):
                    yield line_of(code, found.start()), "TRY into a named variable first"
                break


def headers(file):
    """A header says what it is for in its first line and is included once."""
    if file.suffix != ".hpp":
        return
    if not file.lines[0].startswith("//"):
        yield 1, "the first line of a header is a comment that says what it is for"
    if "#pragma once" not in file.lines:
        yield 1, "#pragma once is missing"


def names(file):
    """Files of src/ are in snake_case."""
    if file.folder is not None and not re.fullmatch(r"[a-z][a-z0-9_]*", file.path.stem):
        yield 1, "file names are snake_case"


HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "proxy.golang" + ".org", "sum.golang" + ".org",
         "npmjs" + ".org", "crates" + ".io", "deb.debian" + ".org", "docker" + ".io"]
MACHINE_PATH = re.compile(r"(?<![\w.}*])/(work|home|root|Users)/\w")


def no_machine_in_the_tree(file):
    """Nothing depends on one registry or one person's machine."""
    for number, line in enumerate(file.lines, 1):
        if str(file.path).endswith("go.sum"):
            return
        for host in HOSTS:
            if host in line:
                yield number, f"names the registry host {host}"
        if MACHINE_PATH.search(line):
            yield number, "names a path of one machine"


def links_resolve(file):
    """A relative link of a document leads to a file."""
    if file.suffix != ".md":
        return
    fenced = False
    for number, line in enumerate(file.lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (file.root / file.path.parent / target.split("#")[0]).exists():
                yield number, f"link to {target} leads nowhere"


def documents_named_exist(file):
    """A document that a comment refers to is there."""
    for number, line in enumerate(file.lines, 1):
        for named in re.findall(r"\bdocs/[\w/.-]+\.md\b", line):
            if not (file.root / named).exists():
                yield number, f"{named} is not there"


def endpoint_is_listed(file):
    """Every function that declares an endpoint appears in the list of endpoints."""
    listing = file.root / "src/api/endpoints.cpp"
    if file.folder != "api" or file.suffix != ".cpp" or not listing.exists():
        return
    listed = listing.read_text()
    for found in re.finditer(r"^Endpoint (\w+)\(\) \{", file.text, re.MULTILINE):
        if not re.search(rf"\b{found.group(1)}\b", listed):
            yield line_of(file.text, found.start()), (
                f"{found.group(1)} is not in src/api/endpoints.cpp")


def every_config_member_is_read(file):
    """A key that nothing reads is a promise that nothing keeps."""
    if str(file.path) != "src/ops/config.hpp":
        return
    code = code_only(file.text)
    sections = dict(re.findall(r"^  (\w+Config) (\w+);$", code, re.MULTILINE))
    readers = [code_only(path.read_text()) for path in sorted((file.root / "src").rglob("*.?pp"))
               if not path.stem.endswith("_test") and not path.stem.startswith("config")]
    for struct in re.finditer(r"^struct (\w+Config) \{\n(.*?)^\};", code, re.MULTILINE | re.DOTALL):
        section = sections.get(struct.group(1), struct.group(1))
        of_section = re.compile(rf"\b{struct.group(1)}\b|\.{section}\b")
        near = [text for text in readers if of_section.search(text)]
        for member in re.finditer(r"^  \S.*?(\w+)(?:\{.*\})?;", struct.group(2), re.MULTILINE):
            if not any(re.search(rf"\.{member.group(1)}\b", text) for text in near):
                yield (line_of(code, struct.start(2) + member.start()),
                       f"{section}.{member.group(1)} is read nowhere outside src/ops/config*")


RULES = [includes_run_down, columns, function_length, open_ends, no_sleep_in_tests,
         belongs_to_a_library, wire_stays_in_net, co_await_takes_named_variables,
         no_try_in_initialisers, headers, names, no_machine_in_the_tree, links_resolve,
         documents_named_exist, endpoint_is_listed, every_config_member_is_read]


def files_of(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if any(part in SKIPPED_FOLDERS or part.startswith("build") for part in relative.parts[:-1]):
            continue
        if path.is_file() and path.suffix in TEXT_SUFFIXES and not path.name.startswith("."):
            try:
                text = path.read_text()
            except UnicodeDecodeError:
                continue
            yield File(pathlib.PurePosixPath(relative), text, root)


def faults_of(root):
    """Every fault under `root` as (path, line, rule, text)."""
    for file in files_of(root):
        for rule in RULES:
            for line, text in rule(file):
                yield str(file.path), line, rule.__name__, text


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    faults = list(faults_of(root.resolve()))
    for path, line, rule, text in faults:
        print(f"{path}:{line}: {rule}: {text}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
