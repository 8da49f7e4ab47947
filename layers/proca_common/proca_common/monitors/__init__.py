"""Numbers: what is counted per campaign, kept exact by the transactions that change what they count (design 4)."""
