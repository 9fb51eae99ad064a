"""Who decided what, and what may be used now."""
