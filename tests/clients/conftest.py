"""Leaves in build/reports/clients.json which clients passed all of their tests, for
tools/compatibility.py."""

import datetime
import importlib.metadata
import json
import subprocess

import pytest

import compatibility
import harness
from golang import CHECKOUTS, checkout

OUTCOMES = pytest.StashKey()


def pytest_configure(config):
    config.stash[OUTCOMES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    for mark in item.iter_markers("client"):
        name, *operations = mark.args
        test = f"{item.path.name}::{item.originalname}"
        if report.failed or report.skipped or report.when == "call":
            item.config.stash[OUTCOMES].setdefault(name, []).append(
                (test, operations, report.outcome))
    return report


def version_of(name):
    if name == "gophercloud":
        return compatibility.pinned(harness.ROOT)[name]
    if name not in CHECKOUTS:
        return importlib.metadata.version(name)
    described = subprocess.run(["git", "describe", "--tags", "--always", "--dirty"], check=True,
                               cwd=checkout(name), capture_output=True, text=True).stdout.strip()
    if name != "terraform-provider-opentelekomcloud":
        return described
    terraform = subprocess.run(["terraform", "version", "-json"], check=True, capture_output=True)
    return f"{described}, terraform {json.loads(terraform.stdout)['terraform_version']}"


def pytest_sessionfinish(session):
    passed = {}
    for name, outcomes in session.config.stash[OUTCOMES].items():
        if any(outcome != "passed" for _, _, outcome in outcomes):
            continue
        tests = {}
        for test, operations, _ in outcomes:
            for operation in operations:
                if test not in tests.setdefault(operation, []):
                    tests[operation].append(test)
        passed[name] = {"version": version_of(name), "operations": tests,
                        "date": datetime.date.today().isoformat()}
    reports = harness.ROOT / "build/reports"
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "clients.json").write_text(json.dumps(passed, indent=2))
