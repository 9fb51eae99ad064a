"""What is installed with us: read from the locked requirements, checked, collected for a machine offline, and listed.

Tools of this repository, for whoever maintains or installs it; the package `riskmodels` never imports them.
"""
