"""The shared layer: the rules, stores and cloud access of the campaign-action backend (docs/architecture.md)."""
