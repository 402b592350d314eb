"""Who knows the users of a server: the server itself, or a Keystone.

VITRINE_TEST_IDENTITY=keystone lets every server ask one Keystone, whose accounts
VITRINE_TEST_KEYSTONE_CLOUDS names (tests/components/keystone.py). What one test makes there the
others see.
"""

import os
import pathlib
import urllib.parse

import pytest
import yaml

DRIVER = os.environ.get("VITRINE_TEST_IDENTITY", "builtin")
CLOUDS = os.environ.get("VITRINE_TEST_KEYSTONE_CLOUDS", "")
ASKS_AS = "vitrine"  # the account with which a server asks Keystone
builtin_only = pytest.mark.skipif(DRIVER != "builtin", reason="of the built-in identity")
keystone_only = pytest.mark.skipif(DRIVER != "keystone", reason="of Keystone")


class Accounts:
    """Those of a clouds.yaml."""

    def __init__(self, clouds_file):
        self.clouds_file = pathlib.Path(clouds_file)

    def named_clouds(self):
        return yaml.safe_load(self.clouds_file.read_text())["clouds"]

    def clouds(self):
        """The clouds by the name of their user."""
        return {cloud["auth"]["username"]: cloud for cloud in self.named_clouds().values()}

    def cloud_name(self, user):
        """The name under which that user's cloud stands."""
        return next(name for name, cloud in self.named_clouds().items()
                    if cloud["auth"]["username"] == user)


class Builtin(Accounts):
    """The server itself knows them, and makes the file."""

    environment = {}
    arguments = ["--demo"]
    address = None  # that of the server


class Keystone(Accounts):
    """A Keystone knows them."""

    arguments = []

    def __init__(self, clouds_file):
        super().__init__(clouds_file)
        auth = self.clouds()[ASKS_AS]["auth"]
        self.environment = {
            "VITRINE_IDENTITY_DRIVER": "keystone", "VITRINE_IDENTITY_AUTH_URL": auth["auth_url"],
            "VITRINE_IDENTITY_USERNAME": auth["username"],
            "VITRINE_IDENTITY_PASSWORD": auth["password"],
            "VITRINE_IDENTITY_USER_DOMAIN": auth["user_domain_name"],
            "VITRINE_IDENTITY_PROJECT": auth["project_name"],
            "VITRINE_IDENTITY_PROJECT_DOMAIN": auth["project_domain_name"]}
        place = urllib.parse.urlsplit(auth["auth_url"])
        self.address = (place.hostname, place.port)


def of(directory):
    """The identity of the server over that directory."""
    return Keystone(CLOUDS) if DRIVER == "keystone" else Builtin(directory / "clouds.yaml")
