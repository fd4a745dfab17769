"""AsyncAPI's own JSON schema of its documents, and a validator for it, out of npm; both are without dependencies."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.parts import Unavailable, cache

_SPECS: Final = "@asyncapi/specs@6.8.1"
_VALIDATOR: Final = "@cfworker/json-schema@4.1.1"
FOLDER: Final = "asyncapi-6.8.1"
_PROGRAM: Final = """
const [schema, document] = process.argv.slice(1).map(path => JSON.parse(require("fs").readFileSync(path)));
const { Validator } = require("@cfworker/json-schema");
const found = new Validator(schema, "7", false).validate(document);
for (const each of found.errors) console.log(each.instanceLocation, each.error);
process.exit(found.valid ? 0 : 1);
"""


def provided() -> Path:
    """Give the part's folder, fetched if it is not there."""
    return cache.provide(FOLDER, _fetch)


def _fetch(into: Path) -> None:
    npm = shutil.which("npm")
    if not npm:
        raise Unavailable("no `npm` here; install Node.js")
    command = [npm, "install", "--prefix", str(into), "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        [*command, "--no-package-lock", _SPECS, _VALIDATOR], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Unavailable(f"npm could not bring {_SPECS} (no network?): {done.stderr[-600:]}")


def problems(document: Path, schema: Path | None = None) -> str:
    """Return what AsyncAPI's schema, or another, finds wrong with a document; "" for nothing."""
    node = shutil.which("node")
    if not node:
        raise Unavailable("no `node` here; install Node.js")
    folder = provided()
    schema = schema or folder / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    words = [node, "-e", _PROGRAM, str(schema), str(document)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=folder)
    if done.returncode and not done.stdout:
        raise RuntimeError(done.stderr)
    return done.stdout
