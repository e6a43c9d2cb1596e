"""Who sees what; tokens; audit."""
