"""From dated records to a matrix. Knows no model."""
