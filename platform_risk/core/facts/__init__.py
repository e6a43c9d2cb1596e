"""Facts: what configuration and people stated about a service, each with its source and date."""
