"""What a service team receives: the list, a decision sheet for each team, a report of the batch, a data dictionary."""
