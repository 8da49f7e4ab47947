"""Telling orgs what happened in the catalogue (domain 5.5 to 5.7)."""
