"""How the project is versioned, locked and published."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
NEXT = Version(PROJECT["tool"]["hatch"]["version"]["fallback-version"])


class Tree:
    """A folder with the project's `pyproject.toml`, in which Git can be used."""

    def __init__(self, folder: Path) -> None:
        """Make it.

        Args:
            folder: Is created if it does not exist.
        """
        self.folder = folder
        if not folder.exists():
            folder.mkdir()
            shutil.copy(ROOT / "pyproject.toml", folder)

    def git(self, *arguments: str) -> None:
        """Run Git with an identity of its own, whatever the user has configured."""
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        """Commit all there is."""
        self.git("add", "--all")
        self.git("commit", "--allow-empty", "--message", "change")

    def version(self) -> Version:
        """Return the version that a build would have."""
        command = [sys.executable, "-m", "hatchling", "version"]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        return Version(done.stdout.strip())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A repository with one commit and no tag."""
    made = Tree(tmp_path / "tree")
    made.git("init", "--initial-branch", "main")
    made.commit()
    return made


def test_a_tagged_commit_has_the_tags_version(tree: Tree) -> None:
    """Without a suffix."""
    tree.git("tag", "v3.1.4")
    assert tree.version() == Version("3.1.4")


def test_a_commit_after_a_tag_is_a_development_version_that_names_the_commit(tree: Tree) -> None:
    """It sorts behind the release."""
    tree.git("tag", "v3.1.4")
    tree.commit()
    version = tree.version()
    assert version > Version("3.1.4")
    assert version.is_devrelease
    assert re.fullmatch(r"g[0-9a-f]+", version.local or "")


def test_tags_that_are_no_releases_change_no_version(tree: Tree) -> None:
    """Only `v` and a number counts."""
    tree.git("tag", "v3.1.4")
    tree.commit()
    tree.git("tag", "demo-2026")
    tree.git("tag", "9.9")
    assert tree.version().release == (3, 1, 5)


def test_a_repository_without_tags_is_a_development_version_of_the_next_release(tree: Tree) -> None:
    """Such as a shallow clone."""
    version = tree.version()
    assert version.is_devrelease
    assert version.release == NEXT.release


def test_a_shallow_clone_has_a_version(tree: Tree, tmp_path: Path) -> None:
    """Its tags are out of reach."""
    tree.git("tag", "v3.1.4")
    tree.commit()
    tree.git("clone", "--depth", "1", tree.folder.as_uri(), str(tmp_path / "shallow"))
    assert Tree(tmp_path / "shallow").version().release == NEXT.release


def test_a_tree_without_git_has_the_fallback_version(tmp_path: Path) -> None:
    """Also inside of another project's repository."""
    outer = Tree(tmp_path / "outer")
    outer.git("init")
    outer.commit()
    outer.git("tag", "v7.0")
    assert Tree(outer.folder / "inner").version() == NEXT


def test_the_fallback_version_is_behind_the_newest_release_of_the_changelog() -> None:
    """Else an unreleased tree would pass for a release."""
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", CHANGELOG, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    released = [Version(version) for version, _ in headings[1:]]
    assert released == sorted(released, reverse=True)
    assert all(date for _, date in headings[1:])
    assert NEXT.is_devrelease
    assert released[0] < NEXT


def locked() -> Iterator[tuple[Requirement, list[str]]]:
    """Every requirement of the lock, with its hashes."""
    for entry in re.findall(r"^[^\s#].*?(?=^[^\s#]|\Z)", LOCK, re.MULTILINE | re.DOTALL):
        stated, *options = entry.replace("\\\n", "").split("--hash=")
        yield Requirement(stated.strip()), [each.split()[0] for each in options]


def test_every_locked_package_has_one_version_and_hashes() -> None:
    """So `make setup` installs the same bytes everywhere."""
    entries = list(locked())
    assert len(entries) > 300
    for requirement, hashes in entries:
        assert [each.operator for each in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_the_lock_names_no_index() -> None:
    """Which one is used is up to whoever installs."""
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ ", LOCK)


def required() -> Iterator[Requirement]:
    """All that `pyproject.toml` asks for."""
    project = PROJECT["project"]
    stated = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        stated += extra
    for group in PROJECT["dependency-groups"].values():
        stated += [each for each in group if isinstance(each, str)]
    yield from (each for each in map(Requirement, stated) if each.name != PROJECT["project"]["name"])


def test_the_lock_satisfies_pyproject() -> None:
    """`make lock` writes it."""
    versions: dict[str, list[str]] = {}
    for requirement, _ in locked():
        (pinned,) = requirement.specifier
        versions.setdefault(canonicalize_name(requirement.name), []).append(pinned.version)
    for requirement in required():
        found = versions.get(canonicalize_name(requirement.name), [])
        assert found, f"{requirement.name} is not locked: run make lock"
        assert all(requirement.specifier.contains(each) for each in found), f"{requirement}, not {found}"


def steps_of(workflow: Path) -> list[dict[str, Any]]:
    """The steps of all its jobs."""
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_pins_its_actions_and_has_no_right_but_to_read(workflow: Path) -> None:
    """A moved tag of somebody else's must not run here."""
    text = workflow.read_text("utf-8")
    named = [step["uses"] for step in steps_of(workflow) if "uses" in step]
    assert named
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in named)
    assert len(re.findall(r"uses: .+@[0-9a-f]{40} # v[\d.]+$", text, re.MULTILINE)) == len(named)
    parsed = yaml.safe_load(text)
    assert parsed["permissions"] == {}
    assert [job["permissions"] for job in parsed["jobs"].values()] == [{"contents": "read"}]


def test_the_workflow_runs_what_every_other_ci_runs() -> None:
    """One script."""
    commands = [step["run"] for step in steps_of(ROOT / ".github" / "workflows" / "ci.yml") if "run" in step]
    assert commands == ["bash .ci/run"]
    assert (ROOT / ".ci" / "run").is_file()


def test_the_hooks_use_installed_tools() -> None:
    """None is fetched, so that they run without a network and in the locked versions."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    tools = [Path(hook["entry"].split()[0]) for hook in repositories[0]["hooks"]]
    assert {"ruff", "mypy"} <= {each.name for each in tools}
    for tool in tools:
        assert tool.parts[:2] == (".venv", "bin")
        assert shutil.which(tool.name, path=str(Path(sys.executable).parent)), tool
