"""What ./dev says before it does anything: it lists, helps and refuses without an installation."""

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

import check
import run_tests

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def dev(tmp_path):
    """Runs ./dev where every program that installs, builds or runs something leaves its name."""
    trace = tmp_path / "trace"
    for name in ("apt-get", "cmake", "dpkg-query", "python3", "sudo"):
        stub = tmp_path / name
        stub.write_text(f"#!/bin/sh\necho {name} >>{trace}\nexit 1\n")
        stub.chmod(0o755)

    def run(*arguments):
        done = subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True,
                              check=False, timeout=60,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        return done, trace.read_text().split() if trace.exists() else []
    return run


def names_in_arguments_sh(function):
    return subprocess.run(["bash", "-c", f". tools/arguments.sh; {function}"], cwd=ROOT, text=True,
                          capture_output=True, check=True).stdout.split()


def test_it_lists_the_stages_and_nothing_else(dev):
    done, started = dev("test", "--list")
    assert (done.returncode, done.stderr, started) == (0, "", [])
    assert done.stdout.splitlines() == [f"{stage.__name__:10} {stage.__doc__}"
                                        for stage in run_tests.STAGES]


@pytest.mark.parametrize("command", ["demo", "build", "test", "check", "bench", "fuzz", "chaos",
                                     "gen"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_a_command_does_nothing_else(dev, command, flag):
    done, started = dev(command, flag)
    assert (done.returncode, done.stderr, started) == (0, "", [])
    assert done.stdout.startswith("usage: ./dev COMMAND\n") and f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command, words", [
    ("demo", ["--exit", "--directory="]),
    ("build", names_in_arguments_sh("preset_names")),
    ("test", [*(stage.__name__ for stage in run_tests.STAGES), "--list", "--fuzz-seconds="]),
    ("check", list(check.STAGES)),
    ("bench", [*names_in_arguments_sh("figure_names"), "--small", "--images="])])
def test_help_of_a_command_names_what_it_takes(dev, command, words):
    told = dev(command, "--help")[0].stdout.splitlines()
    assert told[-1] == f"{command} takes: {' '.join(words)}"


def test_without_a_command_it_shows_them(dev):
    alone, started = dev()
    assert (alone.returncode, alone.stderr, started) == (0, "", [])
    assert alone.stdout == dev("--help")[0].stdout
    assert alone.stdout.startswith("usage: ./dev COMMAND\n")


@pytest.mark.parametrize("line, told", [
    ("frob", "no command 'frob'"),
    ("demo --bogus", "demo: '--bogus' is not known; it takes --exit --directory="),
    ("demo --directory", "demo: --directory needs a value"),
    ("build nosuch", "build: 'nosuch' is not known; it takes dev release clang asan"),
    ("test dev nosuch", "test: 'nosuch' is not known; it takes house dev contract"),
    ("check nosuch", "check: 'nosuch' is not known; it takes format tidy"),
    ("bench nosuch", "bench: 'nosuch' is not known; it takes start memory"),
    ("bench --images=5 nosuch", "bench: 'nosuch' is not known"),
    ("fuzz soon", "fuzz: 'soon' is no number of seconds"),
    ("chaos 5 6", "chaos: takes one argument, the seconds"),
    ("gen now", "gen: 'now' is not known; it takes nothing")])
def test_what_it_does_not_know_is_named_and_refused_first(dev, line, told):
    done, started = dev(*line.split())
    assert (done.returncode, done.stdout, started) == (2, "", [])
    assert f"dev: {told}" in done.stderr


def test_what_it_knows_gets_further(dev):
    for line in ("demo --exit --directory /nonexistent", "build release vitrine", "test house",
                 "bench --small --images=5 --images 6 show", "fuzz 5"):
        assert dev(*line.split())[1], line


def test_the_names_it_knows_are_those_of_the_scripts():
    path = ROOT / "tests/bench/bench.py"
    spec = importlib.util.spec_from_file_location("bench", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    assert names_in_arguments_sh("figure_names") == [*bench.FIGURES, *bench.ON_POSTGRES]
    assert names_in_arguments_sh("check_names") == list(check.STAGES)
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    assert names_in_arguments_sh("preset_names") == [
        preset["name"] for preset in presets if not preset.get("hidden")]


def test_form_needs_no_compiler():
    told = subprocess.run(
        ["bash", "-c", ". tools/arguments.sh; . tools/install.sh; need_python() { echo python; }; "
         "need_apt() { echo apt \"$@\"; }; need_for_stages house"],
        cwd=ROOT, text=True, capture_output=True, check=True).stdout
    assert told == "apt python3 clang-format-19\npython\n"


def test_ctrl_c_ends_a_run_of_tests_quietly_and_what_it_has_started_in_its_own_time(tmp_path):
    ended, stub = tmp_path / "ended", tmp_path / "cmake"
    stub.write_text(f"#!/bin/sh\ntrap 'sleep 1; echo yes >{ended}; exit 1' INT\necho started\n"
                    "while :; do sleep 0.1; done\n")
    stub.chmod(0o755)
    process = subprocess.Popen([sys.executable, ROOT / "tools/run_tests.py", "dev"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
                               start_new_session=True,
                               # What runs in the background is started deaf to it.
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while process.stdout.readline() != "started\n":
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "\ninterrupted\n")
    assert ended.read_text() == "yes\n"
