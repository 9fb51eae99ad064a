"""The audit as it may be shown: what is hidden, rounded, and made of rounded counts."""
