"""Clients, settings, secrets, clock and logs: besides the stores, the only place that knows the cloud (design 2)."""
