"""Findings: problems of a platform, one place each, with an owner, a state and a history."""
