"""Taking actions in: from a checked request to one transaction (domain 3; design 4)."""
