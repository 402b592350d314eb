"""Writes or checks docs/generated: what the program says about itself.

usage: generated.py write|check --binary PATH
"""

import argparse
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "docs/generated"
# Document -> what `vitrine describe` calls it.
DOCUMENTS = {"openapi.json": "openapi", "errors.md": "errors", "config.md": "config",
             "metrics.md": "metrics", "policy.yaml": "policy"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["write", "check"])
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    stale = []
    for name, subject in DOCUMENTS.items():
        text = subprocess.run([options.binary, "describe", subject], check=True,
                              capture_output=True, text=True).stdout
        path = FOLDER / name
        if options.what == "write":
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        print(f"docs/generated: {', '.join(stale)} not up to date; run ./dev gen", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
