"""Real orders, replayed through the shop: what would have been noticed, and when, and what would have been done."""

from example_project.replay.show import replay

__all__ = ["replay"]
