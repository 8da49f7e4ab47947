"""Mail to target: a campaign's settings for it, and how its messages are spread over time (domain 1.13, 9)."""
