"""What the shared parts hold for the service under test."""

BUCKET = "images"
DATABASE = "vitrine"
