"""The very same shop on database servers, a cache server, and Celery workers with either broker."""

import os
import uuid
from contextlib import closing

import psycopg
import pymysql
import pytest
import redis
from kombu import Connection

from tests.example_project.processes import read_until, run, run_demo, running

# In one group: they share one story, one Redis and one RabbitMQ.
pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.xdist_group("services")]

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres:postgres@127.0.0.1:5432")
MARIADB = os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379")
RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")

SPEAK = """
from statusbreaks.incidents.services import Draft, post_update
from statusbreaks.models import Incident
post_update(Incident.objects.get(flow="payment"), Draft({{"en": ("{0}", "Thank you for your patience.")}}))
"""
COUNT = """
from statusbreaks.models import AffectedOrder, Message
letters = Message.objects.filter(subject__startswith="{0}", status="sent")
print(letters.count(), AffectedOrder.objects.filter(incident__flow="payment").count())
"""


def missing(service, error):
    """Left out on a laptop; on CI, where it belongs, an error."""
    sentence = f"{service} does not answer on this machine ({type(error).__name__}), so this is not tried."
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def new_name():
    return f"kettle_{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def postgresql():
    name = new_name()
    try:
        connection = psycopg.connect(f"{POSTGRES}/postgres".replace("postgres://", "postgresql://"), autocommit=True)
    except psycopg.OperationalError as error:
        missing("PostgreSQL", error)
    with connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRES}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def mariadb():
    name = new_name()
    try:
        connection = pymysql.connect(host="127.0.0.1", user="root")
    except pymysql.OperationalError as error:
        missing("MariaDB", error)
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield f"{MARIADB}/{name}"
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def a_redis():
    """A database of it that nobody uses; emptied before and after."""
    client = redis.Redis.from_url(f"{REDIS}/13")
    with closing(client):
        try:
            client.flushdb()
        except redis.ConnectionError as error:
            missing("Redis", error)
        yield f"{REDIS}/13"
        client.flushdb()


@pytest.fixture(scope="module")
def a_rabbitmq():
    with Connection(RABBITMQ, connect_timeout=5) as connection:
        try:
            connection.ensure_connection(max_retries=1)
        except connection.connection_errors as error:
            missing("RabbitMQ", error)
        _purge(connection)
        yield RABBITMQ
        _purge(connection)


def _purge(connection):
    with connection.SimpleQueue("celery") as queue:
        queue.clear()


def the_story_came_true(done):
    assert (done.returncode, done.stderr) == (0, "")
    assert "false alarms                    0" in done.stdout


def test_the_story_comes_true_on_mariadb(tmp_path, mariadb):
    the_story_came_true(run_demo(tmp_path, "--no-serve", DATABASE_URL=mariadb))


@pytest.fixture(scope="module")
def told(tmp_path_factory, postgresql, a_redis):
    """The story, told once on PostgreSQL with Redis as its cache: its folder, its surroundings, how it went."""
    folder, services = tmp_path_factory.mktemp("shop"), {"DATABASE_URL": postgresql, "CACHE_URL": a_redis}
    return folder, services, run_demo(folder, "--no-serve", **services)


def test_the_story_comes_true_on_postgresql_with_redis(told):
    the_story_came_true(told[-1])


@pytest.mark.parametrize("broker", ["a_redis", "a_rabbitmq"])
def test_a_celery_worker_does_the_work(told, broker, request):
    folder, services, _done = told
    services = {**services, "CELERY_BROKER_URL": request.getfixturevalue(broker)}
    news = f"News over {broker}"
    shell(folder, SPEAK.format(news), services)
    celery = ("celery", "--app", "example_project")
    flags = ("--beat", "--concurrency", "1", "--loglevel", "INFO", "--uid", str(os.getuid()))

    with running(folder, *celery, "worker", *flags, **services) as worker:
        read_until(worker, "ready")
        run(folder, *celery, "call", "statusbreaks.tick", **services)
        read_until(worker, r"Task statusbreaks\.tick\S* succeeded", r"Beat\] Scheduler: Sending due task shop-work")
        refused = run_demo(folder, "--no-serve", **services)

    sent, concerned = map(int, shell(folder, COUNT.format(news), services).split())
    assert (sent, sent > 0) == (concerned, True)
    assert (refused.returncode, "A Celery worker runs already" in refused.stderr) == (1, True)


def shell(folder, code, services):
    return run(folder, "django", "shell", "--verbosity", "0", "--command", code, **services).stdout


def test_a_broker_that_is_down_is_named(tmp_path):
    done = run_demo(tmp_path, "--no-serve", CELERY_BROKER_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert "The broker named by CELERY_BROKER_URL does not answer" in done.stderr
