"""Mails to supporters: which is due, what it says, and how it gets out (domain 8)."""
