"""Teams, services, environments, and the rules that say who owns what."""
