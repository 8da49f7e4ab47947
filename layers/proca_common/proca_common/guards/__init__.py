"""What keeps intake safe to leave open: each guard is a setting of the campaign or the instance, and off by default.

Nothing here is imported by a signature of a campaign without guards.
"""
