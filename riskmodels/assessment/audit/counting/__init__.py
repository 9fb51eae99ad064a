"""From rows to counts, and from counts to resamples."""
