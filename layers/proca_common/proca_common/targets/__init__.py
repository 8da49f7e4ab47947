"""Targets of campaigns: to whom supporters write (domain 1.12)."""
