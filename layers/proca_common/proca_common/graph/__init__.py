"""The GraphQL face of the system, for clients that speak it: no rule lives here (docs/clients.md)."""
