"""Action pages (widgets) and everything around one that a signature needs (domain 1.4)."""
