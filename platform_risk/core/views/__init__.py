"""Pages of the core: a view parses, makes one call, answers."""
