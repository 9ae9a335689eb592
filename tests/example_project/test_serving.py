"""The shop on localhost after the story, in a process of its own."""

import signal
import time
import urllib.error
import urllib.request

import pytest

from example_project.story.serving import free_port
from tests.example_project.processes import read_until, run, run_demo, running

pytestmark = pytest.mark.slow


@pytest.fixture
def port():
    return free_port(None)


def status_of(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_shop_is_served_closed_by_one_command_and_stopped_by_ctrl_c(tmp_path, port):
    with running(tmp_path, "django", "demo", "--port", str(port)) as server:
        said = read_until(server, "Stop with Ctrl-C")
        assert f"http://localhost:{port}/admin/" in said
        assert [status_of(port, path) for path in ("/", "/admin/login/", "/basket/")] == [200, 200, 200]

        second = run_demo(tmp_path, "--no-serve")
        assert (second.returncode, "A demo is running already" in second.stderr) == (1, True)

        closed = run(tmp_path, "django", "statusbreaks", "close", "--scope", "checkout")
        assert (closed.returncode, closed.stderr) == (0, "")
        assert [soon(port, "/checkout/", 503), status_of(port, "/")] == [503, 200]

        run(tmp_path, "django", "statusbreaks", "open")
        assert soon(port, "/checkout/", 200) == 200

        server.send_signal(signal.SIGINT)
        assert "Stopped." in server.stdout.read()
        assert server.wait(timeout=30) == 0


def soon(port, path, expected):
    """A process looks at the state file at most once a second, so it may answer as before for as long."""
    patience = time.monotonic() + 10
    while (status := status_of(port, path)) != expected and time.monotonic() < patience:
        continue
    return status
