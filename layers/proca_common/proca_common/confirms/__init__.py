"""What lets somebody confirm: signed links of supporters, and codes of operations that need two people (domain 7)."""
