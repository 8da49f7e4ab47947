"""What builds, runs and measures the project; run from its root, as in `python -m tools.stack up`."""
