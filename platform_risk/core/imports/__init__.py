"""Everything that enters: a stored file and a row that says what became of it."""
