"""What the shared parts are, what they hold for the service under test, and how long it is tried.

VITRINE_CHAOS_STORE says which object store of tests/components it is: s3 or rgw.
"""

import importlib
import os

BUCKET = "images"
DATABASE = "vitrine"
STORE = importlib.import_module(os.environ.get("VITRINE_CHAOS_STORE", "s3"))
SECONDS = float(os.environ.get("VITRINE_CHAOS_SECONDS", "30"))
