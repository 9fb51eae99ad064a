"""The model card: facts with their sources, and what the committee decides on."""
