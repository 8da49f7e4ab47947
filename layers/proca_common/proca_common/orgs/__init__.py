"""Orgs, their keys, and the encryption of personal data for them (domain 1.2, 1.9, 6; design 7)."""
