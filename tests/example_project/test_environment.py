"""The services' addresses come from the surroundings."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from example_project.environment import cache, database, secret


@pytest.mark.parametrize(
    ("url", "engine", "where"),
    [
        ("sqlite:////srv/my%20shop.db", "sqlite3", {"NAME": "/srv/my shop.db"}),
        ("sqlite:///:memory:", "sqlite3", {"NAME": ":memory:"}),
        (
            "postgres://ada:p%40ss@db.example:5433/shop?sslmode=require",
            "postgresql",
            {"NAME": "shop", "USER": "ada", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": "5433"},
        ),
        ("mysql://root@127.0.0.1/shop", "mysql", {"NAME": "shop", "USER": "root", "PASSWORD": "", "PORT": ""}),
    ],
)
def test_a_database_is_named_by_an_address(url, engine, where):
    found = database(url)

    assert found["ENGINE"] == f"django.db.backends.{engine}"
    assert where.items() <= found.items()


def test_sqlite_takes_the_write_lock_at_once_and_waits_for_it():
    options = database("sqlite:///shop.db")["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "journal_mode=WAL" in options["init_command"]


def test_options_of_the_server_are_handed_on():
    assert database("postgres://db/shop?sslmode=require")["OPTIONS"] == {"sslmode": "require"}


def test_an_unknown_kind_of_database_is_named():
    with pytest.raises(ImproperlyConfigured, match="not 'oracle'"):
        database("oracle://db/shop")


def test_without_an_address_the_cache_is_in_memory():
    assert cache("")["BACKEND"].endswith("LocMemCache")
    assert cache("redis://localhost:6379/1")["LOCATION"] == "redis://localhost:6379/1"


def test_a_secret_is_made_once_and_is_for_its_owner_only(tmp_path):
    made = secret(tmp_path, "key")

    assert secret(tmp_path, "key") == made
    assert len(made) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
