"""From a matrix to a calibrated risk. Knows no fairness and no card."""
