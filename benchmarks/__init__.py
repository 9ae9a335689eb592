"""Prices, as ratios: ours against the bare thing, measured in turns in one run, so that a slow machine cancels out."""
