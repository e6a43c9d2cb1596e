"""Pages of planning: a view parses, makes one call, answers."""
