"""What it would take to narrow a gap: experiments with a price, none of which can reach scoring."""
