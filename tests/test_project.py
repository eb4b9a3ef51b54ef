"""What the repository promises of itself: pinned packages, a whole wheel, no machine in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-test.lock")
FOLDERS = ("ontology", "shapes", "queries", "web", "demo")

MACHINE_PATH = re.compile(
    r"(?:(?<![\w.:/%)}\]>*-])|(?<=file://))/(?:work|root|home|Users|tmp/\w+)/[\w.-]+"
)
REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b")


def requirements(lock: str) -> dict[str, str]:
    """Each pinned package of a lock file with the lines that belong to it."""
    text = "\n".join(line for line in (ROOT / lock).read_text().splitlines() if "#" not in line)
    entries = re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip())
    return {entry.split()[0]: entry for entry in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_no_address(lock: str) -> None:
    assert not re.search(r"://|--(?:extra-)?index|--find-links|@", (ROOT / lock).read_text())


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_with_a_hash(lock: str) -> None:
    entries = requirements(lock)
    assert len(entries) > 20
    loose = [
        name
        for name, entry in entries.items()
        if not re.fullmatch(r"[\w.-]+==[\w.+!-]+", name) or "--hash=sha256:" not in entry
    ]
    assert loose == []


def test_test_lock_contains_the_runtime_lock() -> None:
    assert set(requirements(LOCKS[0])) <= set(requirements(LOCKS[1]))


def test_lock_names_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=~! ]", name)[0].lower() for name in project["dependencies"]}
    assert wanted <= {name.split("==")[0] for name in requirements(LOCKS[0])}


# -- the wheel -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", folder, ROOT], check=True, timeout=100)
    (path,) = folder.glob("bilbaokg-*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.mark.parametrize("folder", FOLDERS)
def test_wheel_carries_the_data_folder(wheel: zipfile.ZipFile, folder: str) -> None:
    prefix = f"bilbaokg/_data/{folder}/"
    carried = {name.removeprefix(prefix) for name in wheel.namelist() if name.startswith(prefix)}
    assert carried >= set(data_files(folder)) > set()


def data_files(folder: str) -> Iterator[str]:
    """What git has in a data folder, without what only builds need."""
    for path in repository_files():
        inner = path.relative_to(ROOT).as_posix()
        if inner.startswith(f"{folder}/") and not inner.startswith("web/frontend/"):
            yield inner.removeprefix(f"{folder}/")


def test_wheel_carries_the_package_and_nothing_beside_it(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "bilbaokg/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"bilbaokg"}
    assert [name for name in names if "node_modules" in name or "__pycache__" in name] == []


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm")
def test_wheel_carries_the_editor_and_the_licences_of_what_is_in_it(
    wheel: zipfile.ZipFile,
) -> None:
    folder = "bilbaokg/_data/web/static/dist/"
    assert {f"{folder}sparql.js", f"{folder}sparql.licences.txt"} <= set(wheel.namelist())
    licences = wheel.read(f"{folder}sparql.licences.txt").decode()
    lock = json.loads((ROOT / "web" / "frontend" / "package-lock.json").read_text())["packages"]
    bundled = [path for path, held in lock.items() if path and not held.get("dev")]
    assert len(bundled) > 8
    for path in bundled:
        assert f"{path.removeprefix('node_modules/')}\n" in licences


@pytest.mark.peers
@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm")
def test_source_archive_carries_the_editor_and_needs_no_npm(tmp_path: Path) -> None:
    built = [f"web/static/dist/{name}" for name in ("sparql.js", "sparql.licences.txt")]
    build = [sys.executable, "-m", "hatchling", "build", "-d", tmp_path, "-t"]
    subprocess.run([*build, "sdist"], cwd=ROOT, check=True, timeout=300)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    assert all((source / name).is_file() for name in built)
    assert list(source.rglob("node_modules")) == []
    (tmp_path / "bin").mkdir()
    quiet = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    subprocess.run([*build, "wheel"], cwd=source, env=quiet, check=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {f"bilbaokg/_data/{name}" for name in built} <= set(archive.namelist())


def test_without_npm_the_editor_is_left_out_and_that_is_told(tmp_path: Path) -> None:
    copied = shutil.copytree(
        ROOT / "web" / "frontend", tmp_path / "web" / "frontend",
        ignore=shutil.ignore_patterns("node_modules"),
    )  # fmt: skip
    (tmp_path / "web" / "static").mkdir()
    command = [sys.executable, "-I", copied / "build.py"]
    done = subprocess.run(
        command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert "keeps its plain text field: there is no npm" in done.stderr
    assert list((tmp_path / "web" / "static").rglob("*.js")) == []


def test_lock_of_the_editor_holds_hashes_and_no_address() -> None:
    text = (ROOT / "web" / "frontend" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert all("integrity" in held for name, held in packages.items() if name)
    assert "://" not in re.sub(r'"url": "[^"]+"', "", text)


def test_wheel_names_its_licence_and_command(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith("dist-info/METADATA"))
    fields = message_from_bytes(wheel.read(metadata))
    assert (fields["License-Expression"], fields["License-File"]) == ("EUPL-1.2", "LICENSE")
    assert fields["Requires-Python"] == ">=3.11"
    entry_points = wheel.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert "bilbaokg = bilbaokg.cli:main" in entry_points


# -- the repository ------------------------------------------------------------------------------


def repository_files() -> list[Path]:
    """All files that git tracks or would track; of an unpacked archive, all of them."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        listed = subprocess.run(git, check=True, capture_output=True, timeout=60).stdout.decode()
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        hidden = {".venv", "node_modules", "__pycache__"}
        paths = [path for path in ROOT.rglob("*") if not hidden & set(path.parts)]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["path", "registry"])
def test_repository_holds_nothing_of_a_machine(pattern: re.Pattern[str]) -> None:
    found = []
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize("text", ["see {}/x.txt", '"{}/ana"', "({}/ana)", "={}/a", "file://{}/b"])
@pytest.mark.parametrize("place", ["work", "root", "home", "Users", "tmp/job"])
def test_machine_path_is_seen(text: str, place: str) -> None:
    assert MACHINE_PATH.search(text.format("/" + place))


@pytest.mark.parametrize("text", ["http://a.org{}/x", "http:/{}/x", "<data>{}/a", "{}ing/sparql"])
def test_other_path_is_no_machine_path(text: str) -> None:
    assert not MACHINE_PATH.search(text.format("/home"))


def test_licence_is_complete() -> None:
    words = (ROOT / "LICENSE").read_text(encoding="utf-8").split()
    assert " ".join(words[:6]) == "EUROPEAN UNION PUBLIC LICENCE v. 1.2"
    assert " ".join(words[-6:]) == "production of a new EUPL version."
    assert len(words) == 2237
