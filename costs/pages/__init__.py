"""Pages of costs: parse, one call, answer. Every state of a page is an address."""
