"""The state machine, ranking, counting, the messages, and the outbox that emits them (domain 4, design 5)."""
