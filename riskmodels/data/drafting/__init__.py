"""The parts of `riskmodels.data.draft`: guesses about columns, roles of tables, dates, features, the files as text."""
