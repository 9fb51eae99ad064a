"""Pure functions of predictions and groups: how good, how fair, and why."""
