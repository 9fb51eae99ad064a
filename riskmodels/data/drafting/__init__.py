"""The parts of `riskmodels.data.draft`: guesses about columns, roles of tables, dates, features, and the files as text."""
