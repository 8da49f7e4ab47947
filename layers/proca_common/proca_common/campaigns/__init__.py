"""Campaigns (domain 1.3)."""
