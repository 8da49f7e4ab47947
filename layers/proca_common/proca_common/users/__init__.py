"""The people behind the campaigns: users, what proves who they are, and what they may do (domain 12)."""
