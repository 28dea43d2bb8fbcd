"""Chapters of the report whose content does not come from one experiment."""
