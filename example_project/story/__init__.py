"""The story that `manage.py demo` tells. What it tells it does: on the shop's own code, and each step is looked at."""
