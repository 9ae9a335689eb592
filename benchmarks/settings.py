"""The example shop as it is installed, in a database that is made for the benchmark and dropped after it."""

from example_project.settings import *  # noqa: F403
from example_project.settings import DATABASES, VAR_DIR

DEBUG = False
LOGGING_CONFIG = None
if "sqlite" in DATABASES["default"]["ENGINE"]:  # else its test database would live in memory
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "bench.sqlite3")}
