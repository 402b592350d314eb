"""What ./dev test runs: every stage builds what it needs, runs its tests and is timed.

usage: run_tests.py [--fuzz-seconds N] [STAGE...]

The last line is `N passed, N failed`; the status is 0 only when nothing failed. A stage that breaks
before its tests run (a build, a crash of the runner) counts as one failure.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPORTS = ROOT / "build/reports"
CORES = os.cpu_count() or 1
SEED = os.environ.get("VITRINE_SEED", "20250304")  # of all that is random; every run prints it
SANITIZER_OPTIONS = {
    # What the sanitizer keeps for each thread must not hide what a test of memory looks for.
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:"
                    "quarantine_size_mb=32:thread_local_quarantine_size_kb=64:"
                    "max_uar_stack_size_log=16",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Broken(Exception):
    """A stage could not run its tests."""


def run(command, **environment):
    """Runs a command with its output on ours; its exit status."""
    print("+ " + " ".join(map(str, command)), flush=True)
    process = subprocess.Popen(list(map(str, command)), cwd=ROOT,
                               env={**os.environ, **SANITIZER_OPTIONS, **environment})
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()  # it has had the Ctrl-C too, and ends what it has started
        raise


def must(command):
    if run(command) != 0:
        raise Broken(" ".join(map(str, command)))


def build(preset):
    must(["cmake", "--preset", preset, "--log-level=WARNING"])
    must(["cmake", "--build", ROOT / "build" / preset, "--parallel", CORES])


def counts_of(reports, status):
    """(passed, failed) of JUnit files; a run that fails without a failed test counts as one."""
    passed = failed = 0
    for report in reports:
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is None and case.get("status") != "notrun":
                passed += 1
    return passed, failed or int(status != 0)


def unit(preset, name="unit", within=(), programs="."):
    """Unit test programs through ctest; the tests in them are counted one by one."""
    folder = REPORTS / f"{name}-{preset}"
    shutil.rmtree(folder, ignore_errors=True)
    status = run([*within, "ctest", "--test-dir", ROOT / "build" / preset, "--output-on-failure",
                  "--no-tests=error", "--parallel", CORES, "--timeout", "600",
                  "--tests-regex", programs],
                 GTEST_OUTPUT=f"xml:{folder}/")
    return counts_of(folder.glob("*.xml"), status)


def pytest(name, *arguments, preset="dev", workers=1, within=()):
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    parallel = ["-n", str(workers), "--dist", "worksteal"] if workers > 1 else []
    status = run([*within, sys.executable, "-m", "pytest", "-q", "-ra", "--durations=5",
                  f"--junit-xml={report}", *parallel, *arguments],
                 VITRINE_BINARY=str(ROOT / "build" / preset / "src/vitrine"))
    if not report.exists():
        raise Broken(f"pytest wrote no {report.name}")
    return counts_of([report], status)


def total(*counts):
    return sum(passed for passed, _ in counts), sum(failed for _, failed in counts)


def house(_):
    """Form and house rules, and the tests of the tools."""
    return total(pytest("tools", "tools"),
                 (1, 0) if run([sys.executable, "tools/check.py", "format"]) == 0 else (0, 1))


def dev(_):
    """The dev build and its unit tests."""
    build("dev")
    return unit("dev")


def contract(_):
    """Black-box tests of the dev build."""
    return pytest("contract", "tests/contract", workers=CORES)


def postgres(_):
    """What keeps rows, and the black-box tests of the dev build, on PostgreSQL."""
    build("dev")
    within = [sys.executable, ROOT / "tests/components/postgres.py", "run"]
    return total(unit("dev", name="unit-postgres", within=within,
                      programs="^(store|identity|service|jobs)$"),
                 pytest("contract-postgres", "tests/contract", "-m", "not heavy",
                        workers=CORES, within=within))


def keystone(_):
    """The black-box tests of the dev build, on a real Keystone."""
    build("dev")
    within = [sys.executable, ROOT / "tests/components/keystone.py", "run"]
    return pytest("contract-keystone", "tests/contract", "-m", "not heavy",
                  workers=CORES, within=within)


def s3(_):
    """What stores image data, and the black-box tests that move it, on an object store."""
    build("dev")
    within = [sys.executable, ROOT / "tests/components/s3.py", "run"]
    files = [f"tests/contract/test_{name}.py"
             for name in ("s3", "stores", "blobs_check", "uploads", "hostile_images", "serve",
                          "imports", "exports", "copy", "encryption")]
    shared = [sys.executable, ROOT / "tests/components/postgres.py", "run", *within]
    return total(unit("dev", name="unit-s3", within=within, programs="^store$"),
                 pytest("contract-s3", *files, workers=CORES, within=within),
                 pytest("contract-s3-shared", files[0], "tests/contract/test_roles.py", "-k",
                        "another_server or role", within=shared))


def chaos(_):
    """Replicas on PostgreSQL and an object store, while faults befall all of them."""
    build("dev")
    return pytest("chaos", "tests/chaos", "-s")


def clients(_):
    """Real clients against the dev build."""
    return pytest("clients", "tests/clients")


def asan(_):
    """Unit and black-box tests under AddressSanitizer and UndefinedBehaviorSanitizer."""
    build("asan")
    return total(unit("asan"), pytest("contract-asan", "tests/contract", "-m", "not heavy",
                                      preset="asan", workers=CORES))


def tsan(_):
    """Unit and black-box tests under ThreadSanitizer."""
    build("tsan")
    return total(unit("tsan"), pytest("contract-tsan", "tests/contract", "-m", "not heavy",
                                      preset="tsan", workers=CORES))


def fuzz_one(target, seconds):
    """One target for so long, from its seeds. Its findings stay in build/asan/findings."""
    findings = ROOT / "build/asan/findings"
    corpus = target.parent / "corpus" / target.name.removeprefix("fuzz_")  # seeded by the build
    for folder in (findings, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [target, corpus, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
         "-print_final_stats=1", f"-seed={SEED}", f"-artifact_prefix={findings}/{target.name}-"],
        cwd=ROOT, check=False, capture_output=True, text=True,
        env={**os.environ, **SANITIZER_OPTIONS})


def fuzz(seconds):
    """Every fuzz target, as many at once as there are cores."""
    build("asan")
    targets = sorted(path for path in (ROOT / "build/asan/tests/fuzz").glob("fuzz_*")
                     if os.access(path, os.X_OK) and path.is_file())
    if not targets:
        raise Broken("no fuzz target was built")
    print(f"fuzz: seed {SEED} (VITRINE_SEED)", flush=True)
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        outcomes = pool.map(lambda target: fuzz_one(target, seconds), targets)
        for target, outcome in zip(targets, outcomes):
            runs = [line.split(":")[-1].strip() for line in outcome.stderr.splitlines()
                    if "number_of_executed_units" in line]
            clean = outcome.returncode == 0
            print(f"fuzz: {target.name}: {'clean' if clean else 'FAILED'}, "
                  f"{runs[0] if runs else 'unknown'} runs", flush=True)
            if not clean:
                print(outcome.stderr[-8000:], flush=True)
            passed, failed = passed + clean, failed + (not clean)
    return passed, failed


STAGES = [house, dev, contract, postgres, keystone, s3, chaos, clients, asan, tsan, fuzz]


def run_stages(names, fuzz_seconds):
    outcomes = []
    for stage in STAGES:
        if names and stage.__name__ not in names:
            continue
        print(f"== {stage.__name__}: {stage.__doc__}", flush=True)
        started = time.monotonic()
        try:
            passed, failed = stage(fuzz_seconds)
            remark = ""
        except Broken as problem:
            passed, failed, remark = 0, 1, f"  broke: {problem}"
        outcomes.append((stage.__name__, passed, failed, time.monotonic() - started, remark))
    return outcomes


def main():
    parser = argparse.ArgumentParser(description="Builds and runs every test.")
    parser.add_argument("--fuzz-seconds", type=int, default=60)
    parser.add_argument("stages", nargs="*")
    options = parser.parse_args()
    known = [stage.__name__ for stage in STAGES]
    if unknown := set(options.stages) - set(known):
        parser.error(f"no stage {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    outcomes = run_stages(options.stages, options.fuzz_seconds)
    print("== summary")
    for name, passed, failed, seconds, remark in outcomes:
        print(f"{name:10} {passed:6} passed {failed:4} failed {seconds:7.0f} s{remark}")
    passed = sum(outcome[1] for outcome in outcomes)
    failed = sum(outcome[2] for outcome in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
