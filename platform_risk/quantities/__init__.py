"""Figures and where they come from. Imports nothing of ours."""
