"""Queues of the orgs: which there are, who may read them, what goes where (domain 4.6, 5.8; design 6)."""
