"""Payments of supporters, as far as a widget needs a secret of the org for them (domain 13.9)."""
