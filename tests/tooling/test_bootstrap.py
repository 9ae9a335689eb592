"""`manage.py` makes its own environment. A `uv` of ours on PATH plays the installer and logs what it was asked."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRAME = ("manage.py", "bootstrap.py", "pyproject.toml")

INSTALLER = """#!{python}
import sys, time, venv
from pathlib import Path
here = Path(__file__).parent
with (here / "log").open("a") as log:
    print(*sys.argv[1:], file=log)
if sys.argv[1] == "venv":
    venv.create(sys.argv[-1], with_pip=False)
elif (here / "fails").exists():
    sys.exit("no route to the index")
else:
    python = Path(sys.argv[sys.argv.index("--python") + 1])
    packages = next((python.parents[1] / "lib").glob("python*/site-packages"))
    (packages / "pytest.py").write_text(
        "import sys\\ndef main(args):\\n    print('tests', args, sys.prefix)\\n    return 7\\n")
    (packages / "django" / "core").mkdir(parents=True, exist_ok=True)
    (packages / "django" / "core" / "management.py").write_text(
        "import os\\ndef execute_from_command_line(line):\\n    print(line, os.environ['DJANGO_SETTINGS_MODULE'])\\n")
"""


class Checkout:
    """A copy of the frame, with an installer that only pretends."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.root.mkdir()
        self.bin.mkdir()
        for name in FRAME:
            shutil.copy(ROOT / name, self.root)
        (self.bin / "uv").write_text(INSTALLER.format(python=sys.executable))
        (self.bin / "uv").chmod(0o755)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def asked(self) -> list[str]:
        """Of the installer, the first word of each call."""
        log = self.bin / "log"
        return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []

    def line(self, *args: str, python: str | Path = sys.executable) -> list[str]:
        return [str(python), str(self.root / "manage.py"), *args]

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.root), **(extra or {})}

    def run(
        self, *args: str, python: str | Path = sys.executable, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        line = self.line(*args, python=python)
        return subprocess.run(line, env=self.env(env), capture_output=True, text=True, check=False)

    def run_pretending(self, pretence: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py in a process where `pretence`, a line of Python, was carried out first."""
        code = (
            f"import runpy, sys; sys.path.insert(0, '.'); {pretence}; runpy.run_path('manage.py', run_name='__main__')"
        )
        line = [sys.executable, "-c", code, *args]
        return subprocess.run(line, env=self.env(), cwd=self.root, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_the_first_run_makes_an_environment_beside_the_checkout_and_goes_on_in_it(checkout: Checkout) -> None:
    done = checkout.run("test", "-k", "some name")

    assert done.stdout == f"tests ['-k', 'some name'] {checkout.venv}\n"
    assert done.returncode == 7
    assert checkout.asked() == ["venv", "pip"]
    assert [line.split(" ", 1)[0] for line in done.stderr.splitlines()] == ["manage.py:", "manage.py:"]


def test_the_second_run_asks_the_installer_for_nothing_and_says_nothing(checkout: Checkout) -> None:
    checkout.run("test")

    done = checkout.run("test")

    assert checkout.asked() == ["venv", "pip"]
    assert done.stderr == ""


def test_without_arguments_the_tests_run_on_all_cores(checkout: Checkout) -> None:
    assert checkout.run("test").stdout == f"tests ['-n', 'auto'] {checkout.venv}\n"


def test_any_other_command_is_one_of_django_with_the_example_projects_settings(checkout: Checkout) -> None:
    done = checkout.run("migrate", "statusbreaks", "zero")

    assert done.stdout == "['manage.py', 'migrate', 'statusbreaks', 'zero'] example_project.settings\n"
    assert done.returncode == 0


def test_settings_that_are_named_in_the_environment_win(checkout: Checkout) -> None:
    done = checkout.run("check", env={"DJANGO_SETTINGS_MODULE": "another.settings"})

    assert done.stdout == "['manage.py', 'check'] another.settings\n"


def test_an_environment_with_more_than_a_command_needs_is_good_enough_for_it(checkout: Checkout) -> None:
    checkout.run("test")

    checkout.run("demo")

    assert checkout.asked() == ["venv", "pip"]


def test_what_a_larger_command_needs_is_added_to_the_same_environment(checkout: Checkout) -> None:
    checkout.run("demo")

    checkout.run("test")

    assert checkout.asked() == ["venv", "pip", "pip"]


@pytest.mark.parametrize(
    ("old", "new", "asked"),
    [
        ('"celery>=', '"celery>=5,>=', ["venv", "pip", "pip"]),
        ("line-length = 120", "line-length = 100", ["venv", "pip"]),
    ],
    ids=["a dependency", "a tool's setting"],
)
def test_only_a_change_of_what_is_installed_installs_again(
    checkout: Checkout, old: str, new: str, asked: list[str]
) -> None:
    checkout.run("demo")
    pyproject = checkout.root / "pyproject.toml"
    assert old in pyproject.read_text()
    pyproject.write_text(pyproject.read_text().replace(old, new))

    checkout.run("demo")

    assert checkout.asked() == asked


def test_an_installation_that_was_killed_is_begun_anew(checkout: Checkout) -> None:
    checkout.run("demo")
    (checkout.venv / "statusbreaks-demo").unlink()
    (checkout.venv / "statusbreaks-installing").touch()
    (checkout.venv / "half-a-package").touch()

    done = checkout.run("demo")

    assert done.returncode == 0
    assert checkout.asked() == ["venv", "pip", "venv", "pip"]
    assert not (checkout.venv / "half-a-package").exists()
    assert not (checkout.venv / "statusbreaks-installing").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.run("demo")
    (checkout.venv / "bin" / "python").unlink()

    assert checkout.run("demo").returncode == 0
    assert checkout.asked() == ["venv", "pip", "venv", "pip"]


def test_when_the_installer_fails_its_words_and_an_advice_are_shown_and_the_next_run_tries_again(
    checkout: Checkout,
) -> None:
    (checkout.bin / "fails").touch()

    failed = checkout.run("demo")
    (checkout.bin / "fails").unlink()
    repaired = checkout.run("demo")

    assert failed.returncode == 1
    assert "no route to the index" in failed.stderr
    assert failed.stderr.endswith("Then run the same command again.\n")
    assert repaired.returncode == 0
    assert checkout.asked() == ["venv", "pip", "pip"]


def test_two_first_runs_at_once_install_once(checkout: Checkout) -> None:
    both = [subprocess.Popen(checkout.line("demo"), env=checkout.env(), stdout=subprocess.PIPE) for _ in range(2)]

    said = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1] != b""
    assert checkout.asked() == ["venv", "pip"]


def test_another_environment_that_is_active_is_left_as_it_is(checkout: Checkout, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    venv.create(mine, with_pip=False)
    before = files(mine)

    done = checkout.run("demo", python=mine / "bin" / "python", env={"VIRTUAL_ENV": str(mine)})

    assert done.returncode == 0
    assert files(mine) == before
    log = (checkout.bin / "log").read_text()
    assert f"--python {checkout.venv}" in log
    assert str(mine) not in log


def test_our_own_environment_is_used_when_it_is_active(checkout: Checkout) -> None:
    checkout.run("demo")

    done = checkout.run("demo", python=checkout.venv / "bin" / "python", env={"VIRTUAL_ENV": str(checkout.venv)})

    assert done.returncode == 0
    assert checkout.asked() == ["venv", "pip"]


def test_an_environment_that_is_of_no_use_and_not_ours_is_left_alone_with_a_sentence(checkout: Checkout) -> None:
    venv.create(checkout.venv, with_pip=False)
    (checkout.bin / "uv").unlink()
    before = files(checkout.venv)

    done = checkout.run("demo")

    assert done.returncode == 1
    assert "I did not make it" in done.stderr
    assert files(checkout.venv) == before


def test_a_python_that_is_too_old_is_told_so_in_a_sentence(checkout: Checkout) -> None:
    done = checkout.run_pretending("sys.version_info = (3, 10, 4)", "demo")

    assert done.stderr == (
        f"manage.py: statusbreaks needs Python 3.11 or newer, and {sys.executable} is 3.10.4.\n"
        "Run it with a newer one, for instance: python3.13 manage.py demo\n"
    )
    assert done.returncode == 1
    assert not checkout.venv.exists()


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9", "3.10"])
def test_real_pythons_that_are_too_old_are_told_so(checkout: Checkout, version: str) -> None:
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")

    done = checkout.run("demo", python=found[0])

    assert f"needs Python 3.11 or newer, and {found[0]} is {version}." in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("name", ["manage.py", "bootstrap.py"])
def test_the_frame_can_be_read_by_an_old_python(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 6))


def test_a_python_without_ensurepip_is_told_what_to_install(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()

    done = checkout.run_pretending("sys.modules['ensurepip'] = None", "demo")

    assert "comes without `ensurepip`" in done.stderr
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in done.stderr
    assert done.returncode == 1
    assert not checkout.venv.exists()


@pytest.mark.slow
def test_pip_installs_the_real_thing_and_repairs_what_was_killed(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    (checkout.bin / "uv").unlink()
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout.root)
    for name in ("statusbreaks", "example_project"):
        shutil.copytree(ROOT / name, checkout.root / name)
    env = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP", "HOME"))}

    first = subprocess.Popen(checkout.line("version"), env=checkout.env(env), start_new_session=True)
    while not (checkout.venv / "statusbreaks-installing").exists():
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    second = checkout.run("version", env=env)
    third = checkout.run("version", env=env)

    assert second.returncode == third.returncode == 0
    assert second.stdout == third.stdout != ""
    assert third.stderr == ""
