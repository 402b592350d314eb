"""Builds Go programs, some of them from checkouts that the environment names.

Those are of modules that no proxy serves. Without the variable the test is skipped and says so.
"""

import os
import pathlib
import subprocess

import pytest

import harness

GO = harness.ROOT / ".cache/go/bin/go"
CHECKOUTS = {"gophertelekomcloud": "VITRINE_GOPHERTELEKOMCLOUD",
             "terraform-provider-opentelekomcloud": "VITRINE_TERRAFORM_PROVIDER"}


def checkout(name):
    """The folder of a checkout of that repository."""
    variable = CHECKOUTS[name]
    if not os.environ.get(variable):
        pytest.skip(f"{variable} does not name a checkout of {name}")
    return pathlib.Path(os.environ[variable]).resolve()


def use_checkout(modfile, name):
    """Lets a go.mod take its module of that name from the checkout."""
    go(modfile.parent, "mod", "edit", "-replace",
       f"github.com/opentelekomcloud/{name}={checkout(name)}", modfile)


def go(folder, *arguments):
    if not GO.exists():
        pytest.fail(f"{GO} is missing; ./dev test installs it")
    outcome = subprocess.run([GO, *arguments], cwd=folder, check=False, capture_output=True,
                             text=True)
    assert outcome.returncode == 0, outcome.stderr
