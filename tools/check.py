"""What ./dev check runs: form, house rules, clang-tidy, and generated documents up to date.

usage: check.py [STAGE...]      stages: format tidy clang-tidy generated
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/clang"  # clang-tidy reads the flags of a clang build
CACHE = ROOT / ".cache/clang-tidy"


def sources():
    return sorted(str(path.relative_to(ROOT)) for folder in ("src", "tests")
                  for suffix in ("cpp", "hpp") for path in (ROOT / folder).rglob(f"*.{suffix}"))


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def check_format():
    return run("clang-format-19", "--dry-run", "-Werror", *sources())


def check_tidy():
    return run(sys.executable, "tools/tidy.py")


def fingerprint(file, headers):
    """Of everything that the verdict over a file depends on, as far as it is ours."""
    digest = hashlib.sha256(headers)
    digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def check_clang_tidy():
    if not (run("cmake", "--preset", "clang", "--log-level=WARNING")
            and run("cmake", "--build", str(BUILD), "--target", "vitrine_statements")):
        return False
    compiled = {os.path.relpath(entry["file"], ROOT)
                for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    files = [file for file in sources() if file in compiled]
    headers = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for file in sources():
        if file.endswith(".hpp"):
            headers.update((ROOT / file).read_bytes())
    CACHE.mkdir(parents=True, exist_ok=True)
    known = {path.name for path in CACHE.iterdir()}
    todo = {file: name for file in files
            if (name := fingerprint(file, headers.digest())) not in known}
    print(f"clang-tidy: {len(todo)} of {len(files)} files to look at", flush=True)
    clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda file: subprocess.run(
            ["clang-tidy-19", "-p", str(BUILD), "--quiet", file], cwd=ROOT, check=False,
            capture_output=True, text=True), todo)
        for file, verdict in zip(todo, verdicts):
            if verdict.returncode == 0:
                (CACHE / todo[file]).touch()
            else:
                clean = False
                print(verdict.stdout + verdict.stderr, flush=True)
    return clean


def check_generated():
    return (run("cmake", "--preset", "dev", "--log-level=WARNING")
            and run("cmake", "--build", "build/dev", "--target", "vitrine")
            and run(sys.executable, "tools/generated.py", "check",
                    "--binary", "build/dev/src/vitrine"))


STAGES = {"format": check_format, "tidy": check_tidy, "clang-tidy": check_clang_tidy,
          "generated": check_generated}


def main():
    names = sys.argv[1:] or list(STAGES)
    if unknown := set(names) - set(STAGES):
        sys.exit(f"check: no stage {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    failed = [name for name in names if not STAGES[name]()]
    print(f"check: {len(names) - len(failed)} passed, {len(failed)} failed"
          + (f" ({', '.join(failed)})" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
