"""The right to be forgotten: erasing a person for an org, the ledger of that, retention, and telling what is held."""
