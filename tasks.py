"""The verbs of this repository: python3 tasks.py demo | test | lint | ...

Each makes the environment it needs first: `.venv`, from a lock file in which every package has a
hash, then this project in editable form. A stamp makes that step instant until a lock file or
pyproject.toml changes. Only the standard library is used, and older interpreters can read the
syntax, so that they hand over to a newer one or say that there is none.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "bilbaokg-stamp.json"
OLDEST, NEWEST = (3, 11), (3, 13)
LOCKS = {"runtime": "requirements.lock", "test": "requirements-test.lock"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PEERS = {"Rscript": "r-base-core", "ogr2ogr": "gdal-bin", "npm": "npm"}  # program: package
NO_TESTS = 5  # pytest: nothing was selected
MOST_AT_ONCE = 4
# Files of tests that take longest: they begin, so that none is waited for at the end.
LONGEST = (
    *("docs", "fuzz_api", "cli", "server_feeds", "server_app", "server_working", "express"),
    *("shacl_bad_shapes", "shacl_parity", "pages", "hostile_requests", "server_sparql", "records"),
)
LONGEST_INNER = ("test_gallery.py", "test_payloads.py")

LEFTOVERS = (
    "build",
    "dist",
    "web/frontend/node_modules",
    "web/static/dist",
    "bilbaokg-demo",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
)


class Stop(Exception):
    """A task cannot go on; the message says what to do."""


# -- running things ------------------------------------------------------------------------------


def say(text: str) -> None:
    print("--", text, file=sys.stderr, flush=True)


def clean_environ() -> "dict[str, str]":
    """The environment without what would lead Python or pip out of `.venv`, or make Python
    compile every module anew in each of the many processes that tests start."""
    leave_out = {"PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
    leave_out |= {"PYTHONDONTWRITEBYTECODE"}
    kept = {name: value for name, value in os.environ.items() if name not in leave_out}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "VIRTUAL_ENV": str(VENV)}


def status(*command: object, **extra: str) -> int:
    """Runs a command in the foreground; its exit code."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, env={**clean_environ(), **extra}, check=False).returncode


def run(*command: object, **extra: str) -> None:
    """Runs a command that has to succeed."""
    code = status(*command, **extra)
    if code:
        raise Stop("failed with exit code {}: {}".format(code, " ".join(map(str, command))))


def answer(interpreter: object, code: str) -> str:
    """What an interpreter prints for a line of code; empty if it cannot run it."""
    try:
        done = subprocess.run(
            [str(interpreter), "-I", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode().strip() if done.returncode == 0 else ""


# -- the interpreter -----------------------------------------------------------------------------


def version_of(interpreter: object) -> "tuple[int, ...]":
    """(3, 12), or () if it does not run."""
    text = answer(interpreter, "import sys; print(*sys.version_info[:2])")
    return tuple(int(part) for part in text.split())


def find_interpreter() -> str:
    """PYTHON if it is set, else the running one, else the newest suitable one on the path."""
    wish = os.environ.get("PYTHON")
    if wish:
        found = shutil.which(wish)
        if found is None or version_of(found) < OLDEST:
            raise Stop(f"PYTHON={wish} is not a Python of version 3.11 or newer")
        return found
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        found = shutil.which(name)
        if found and OLDEST <= version_of(found) <= NEWEST:
            return found
    raise Stop(
        "bilbaokg needs Python 3.11, 3.12 or 3.13, and none is on the path "
        f"(this is {platform.python_version()}). "
        "Install one, or name it: PYTHON=/path/to/python3.12 python3 tasks.py ..."
    )


# -- the environment -----------------------------------------------------------------------------


def venv_python() -> Path:
    return VENV / "bin" / "python"


def make_venv() -> None:
    """Makes `.venv`, or makes it anew if it does not run or is of another version than PYTHON."""
    present = version_of(venv_python())
    if present >= OLDEST and not os.environ.get("PYTHON") and present <= NEWEST:
        return
    interpreter = find_interpreter()
    if present and present == version_of(interpreter):
        return
    say("making .venv with {} (Python {}.{})".format(interpreter, *version_of(interpreter)))
    if answer(interpreter, "import ensurepip, venv; print('yes')"):
        run(interpreter, "-m", "venv", "--clear", VENV)
    elif answer(interpreter, "import pip, venv; print('yes')"):
        run(interpreter, "-m", "venv", "--clear", "--without-pip", VENV)
        run(interpreter, "-m", "pip", "--python", venv_python(), "install", "-q", "pip")
    else:
        raise Stop(without_ensurepip(interpreter))


def without_ensurepip(interpreter: str) -> str:
    package = "python{}.{}-venv".format(*version_of(interpreter))
    return (
        f"{interpreter} has no 'ensurepip', so it cannot make a virtual environment. "
        f"On Debian and Ubuntu: apt-get install {package}. "
        "Or name another interpreter: PYTHON=/path/to/python3.12 python3 tasks.py ..."
    )


def fingerprint(kind: str) -> str:
    """Changes when the environment has to be installed again."""
    digest = hashlib.sha256(str(ROOT).encode())
    digest.update(repr(version_of(venv_python())).encode())
    for name in (LOCKS[kind], "pyproject.toml", "tasks.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamps() -> "dict[str, str]":
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def environment(kind: str) -> None:
    """The environment for `kind`: "runtime", or "test", which contains it."""
    make_venv()
    if stamps().get(kind) == fingerprint(kind):
        return
    STAMP.unlink(missing_ok=True)
    say(f"installing {LOCKS[kind]}")
    pip = (venv_python(), "-m", "pip", "install", "--quiet")
    run(*pip, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / LOCKS[kind])
    run(*pip, "--no-deps", "--no-build-isolation", "-e", ROOT)
    done = ("runtime", "test") if kind == "test" else ("runtime",)
    STAMP.write_text(json.dumps({name: fingerprint(name) for name in done}))


def find_browser() -> "str | None":
    names = [os.environ.get("BILBAOKG_BROWSER") or "", *BROWSERS]
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def debian(*packages: str) -> None:
    """Installs Debian's packages where that is possible."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say(f"installing for the tests: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if status("apt-get", "update", "-qq", **quiet) == 0:
        status("apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages, **quiet)


def browser() -> "dict[str, str]":
    """Tells the tests which browser to drive; installs Debian's if that is possible."""
    found = find_browser()
    if not found:
        debian("chromium")
        found = find_browser()
    if not found:
        say("no Chromium or Chrome: the browser tests will be skipped. Install the package")
        say("chromium, or set BILBAOKG_BROWSER to the program")
    return {"BILBAOKG_BROWSER": found} if found else {}


# -- the verbs -----------------------------------------------------------------------------------


def frontend(args: "list[str]") -> int:
    """Build the editor of the SPARQL page, if npm is there."""
    make_venv()
    return status(venv_python(), ROOT / "web" / "frontend" / "build.py")


def demo(args: "list[str]") -> int:
    """Install, then show the bundled catalogue on port 8000 until Ctrl-C."""
    environment("runtime")
    frontend([])
    command = [str(VENV / "bin" / "bilbaokg"), "--data", "./bilbaokg-demo", "demo", *args]
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, clean_environ())  # noqa: S606  Ctrl-C goes to it alone


def lint(args: "list[str]") -> int:
    """Check style, form and types."""
    environment("test")
    python = venv_python()
    checks = (
        (python, "-m", "ruff", "check", *args),
        (python, "-m", "ruff", "format", "--check", *args),
        (python, "-m", "mypy", "--strict", "src"),
    )
    codes = [status(*check) for check in checks]  # all of them, whatever the first says
    return 1 if any(codes) else 0


def pytest(*args: str) -> int:
    return status(venv_python(), "-m", "pytest", "-q", *args, **browser())


def all_tests(args: "list[str]") -> int:
    """The tests of single modules, then those in folders; file by file, some files at a time."""
    tests = ROOT / "tests"
    first = [str(tests / f"test_{name}.py") for name in LONGEST]
    files = [*first, *sorted({str(each) for each in tests.glob("test_*.py")}.difference(first))]
    # Apart: what drives a browser keeps an event loop, beside which others cannot have theirs.
    inner = sorted(
        (str(each) for each in tests.glob("*/test_*.py")),
        key=lambda each: (not each.endswith(LONGEST_INNER), each),
    )
    # One more than there are processors: tests often wait for what they started.
    several = min((os.cpu_count() or 1) + 1, MOST_AT_ONCE)
    how = ("-n", str(several), "--no-loadscope-reorder", "--dist", "loadfile")
    codes = [pytest(*how, *args, *files), pytest(*how, *args, *inner)]
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


def test(args: "list[str]") -> int:
    """Lint, then run all tests but the peers and the faults."""
    linted = lint([])
    frontend([])
    named = any((ROOT / arg.split("::")[0]).exists() for arg in args)
    tested = pytest(*args) if named else all_tests(args)
    if linted:
        say("the checks of style, form or types failed, see above the tests")
    return tested or linted


def marked(marker: str, args: "list[str]") -> int:
    environment("test")
    code = pytest("-m", marker, *args)
    if code == NO_TESTS:
        say(f"no test has the marker {marker} yet")
        return 0
    return code


def test_peers(args: "list[str]") -> int:
    """Run the tests against other engines and tools."""
    absent = [package for program, package in PEERS.items() if not shutil.which(program)]
    if absent:
        debian(*absent)
    return marked("peers", args)


def test_faults(args: "list[str]") -> int:
    """Run the tests that kill processes and break files."""
    return marked("faults", args)


def lock(args: "list[str]") -> int:
    """Make the lock files again; --upgrade takes newer versions."""
    environment("test")
    common = (
        *(venv_python(), "-m", "uv", "pip", "compile", "--quiet", "pyproject.toml"),
        *("--universal", "--python-version", "{}.{}".format(*OLDEST), "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links"),
        *("--custom-compile-command", "python3 tasks.py lock", *args),
    )
    runtime = ("--group", "build")
    more = ("--group", "test", "--group", "dev", "-c", LOCKS["runtime"])
    run(*common, *runtime, "-o", LOCKS["runtime"])
    run(*common, *runtime, *more, "-o", LOCKS["test"])
    for name in LOCKS.values():
        if "://" in (ROOT / name).read_text():
            raise Stop(f"{name} holds an address")
    return 0


def clean(args: "list[str]") -> int:
    """Remove what builds, tests and the demo left; --all removes .venv too."""
    folders = [ROOT / name for name in LEFTOVERS]
    for code in ("src", "tests", "benchmarks"):
        folders += (ROOT / code).glob("**/__pycache__")
    if "--all" in args:
        folders.append(VENV)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def usage(args: "list[str]") -> int:
    """Say what there is."""
    print("usage: python3 tasks.py VERB [ARGUMENT...]\n")
    for name, verb in VERBS.items():
        print("  {:12} {}".format(name, (verb.__doc__ or "").splitlines()[0]))
    return 0


VERBS = {
    "demo": demo,
    "test": test,
    "test-peers": test_peers,
    "test-faults": test_faults,
    "lint": lint,
    "frontend": frontend,
    "lock": lock,
    "clean": clean,
    "help": usage,
}


def main(args: "list[str]") -> int:
    name = args[0] if args else "help"
    if name not in VERBS:
        usage([])
        return 2
    try:
        if sys.version_info < OLDEST:
            newer = find_interpreter()
            os.execv(newer, [newer, __file__, *args])  # noqa: S606
        return VERBS[name](args[1:])
    except Stop as stop:
        say(str(stop))
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
