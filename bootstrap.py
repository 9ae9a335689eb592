"""The `.venv` beside this file: made when it is missing, filled with what a command needs, and entered.

Nothing is ever installed anywhere else. Only the standard library is used, and only the syntax of Python 3.6, so that
an interpreter which is too old can be told so.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: two first runs at the same moment are not kept apart there
    fcntl = None

ROOT = Path(__file__).resolve().parent
PYPROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
UNFINISHED = VENV / "statusbreaks-installing"
OLDEST = (3, 11)
CONTAINED_IN = {
    "demo": ["demo", "demo,services", "test", "bench", "lint"],
    "demo,services": ["demo,services", "test", "bench", "lint"],
    "test": ["test", "lint"],
}

TOO_OLD = """statusbreaks needs Python {}.{} or newer, and {} is {}.{}.{}.
Run it with a newer one, for instance: python3.13 manage.py demo"""

NO_ENSUREPIP = """this Python comes without `ensurepip`, which is needed to make {}.
On Debian or Ubuntu: apt-get install python{}.{}-venv. Or install uv (https://docs.astral.sh/uv/).
Then run the same command again."""

NOT_OURS = """{} has no pip, or is of a Python older than {}.{}, and I did not make it.
Remove it, and run the same command again."""

NOT_MADE = """{} could not be made; the words above say why.
Is the disk full, or the folder not yours? Then run the same command again."""

NOT_INSTALLED = """the packages could not be installed; the installer's own words stand above.
Is there a network? A proxy is named by HTTPS_PROXY, a mirror by PIP_INDEX_URL (for uv: UV_DEFAULT_INDEX).
Then run the same command again."""


def enter_environment(extra, argv):
    """Return if this process runs in .venv with `extra` installed; else prepare that and start manage.py anew in it."""
    if sys.version_info < OLDEST:
        stop(TOO_OLD, *OLDEST, sys.executable, *sys.version_info[:3])
    if not is_ready(extra):
        prepare(extra)
    elif Path(sys.prefix).resolve() == VENV.resolve():
        return
    start_anew(argv)


def start_anew(argv):
    for name in ("PYTHONHOME", "__PYVENV_LAUNCHER__"):  # either would lead the new process out of .venv again
        os.environ.pop(name, None)
    line = [str(PYTHON), str(ROOT / "manage.py"), *argv]
    if os.name == "nt":  # execv returns to the shell at once there
        sys.exit(subprocess.call(line))
    os.execv(line[0], line)


def is_ready(extra):
    stamps = [stamp(name) for name in CONTAINED_IN.get(extra, [extra])]
    return PYTHON.exists() and any(path.exists() and path.read_text() == fingerprint() for path in stamps)


def stamp(extra):
    return VENV / "statusbreaks-{}".format(extra)


def fingerprint():
    """Of the part of pyproject.toml that decides what is installed: all above the first table of tools."""
    return hashlib.sha256(PYPROJECT.read_bytes().split(b"\n[tool.")[0]).hexdigest()


def prepare(extra):
    with one_at_a_time():
        if is_ready(extra):  # by another process, while this one waited
            return
        uv = shutil.which("uv")
        if not is_usable(uv):
            make(uv)
        install(uv, extra)


@contextlib.contextmanager
def one_at_a_time():
    with PYPROJECT.open("r+") as handle:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_usable(uv):
    """Whether .venv can be installed into. An installation that was killed may have left half a package: it cannot."""
    if UNFINISHED.exists() or not PYTHON.exists():
        return False
    check = "import sys{}; sys.exit(sys.version_info < {})".format("" if uv else ", pip", OLDEST)
    if subprocess.call([str(PYTHON), "-I", "-c", check], stderr=subprocess.DEVNULL) == 0:
        return True
    if not any(VENV.glob("statusbreaks-*")):
        stop(NOT_OURS, VENV, *OLDEST)
    return False


def make(uv):
    if not uv and not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        stop(NO_ENSUREPIP, VENV, *sys.version_info[:2])
    say("making {} (Python {}.{}.{}, {})", VENV, *sys.version_info[:3], "uv" if uv else "venv and pip")
    shutil.rmtree(str(VENV), ignore_errors=True)
    base = getattr(sys, "_base_executable", None) or sys.executable  # not that of another environment of the user's
    line = [uv, "venv", "--quiet", "--python", base] if uv else [base, "-m", "venv"]
    if run_quietly([*line, str(VENV)]):
        stop(NOT_MADE, VENV)


def install(uv, extra):
    say("installing what `{}` needs, once; mostly downloads", extra)
    UNFINISHED.write_text("An installation that was killed while this stands here is begun anew by the next run.\n")
    if uv:
        line = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON)]
    else:  # -I: a package that lies on PYTHONPATH must not count as installed
        line = [str(PYTHON), "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    status = run_quietly([*line, "--editable", "{}[{}]".format(ROOT, extra)])
    if status >= 0:  # not killed: an installer that fails by itself puts back what it had begun
        UNFINISHED.unlink()
    if status:
        stop(NOT_INSTALLED)
    stamp(extra).write_text(fingerprint())


def run_quietly(line):
    """Its exit status, negative where a signal killed it. Where it failed, all that it said is shown."""
    elsewhere = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME")
    env = {name: value for name, value in os.environ.items() if name not in elsewhere}
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(env, PIP_USER="0"))
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
    return done.returncode


def say(text, *values):
    print("manage.py: " + text.format(*values), file=sys.stderr, flush=True)  # stdout belongs to the command


def stop(text, *values):
    say(text, *values)
    sys.exit(1)
