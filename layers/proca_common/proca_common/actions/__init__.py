"""Actions: what people do on a page, who did it (supporter) and what their orgs get of them (contact)."""
