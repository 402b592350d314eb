"""What the shared parts hold for the service under test, and how long it is tried."""

import os

BUCKET = "images"
DATABASE = "vitrine"
SECONDS = float(os.environ.get("VITRINE_CHAOS_SECONDS", "30"))
