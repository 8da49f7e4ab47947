"""What orgs take out: rows of actions and contacts, a part at a time or as a file (domain 13.6)."""
