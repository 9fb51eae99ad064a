"""Two audits, or two lists of the same people, beyond chance."""
