"""Differences between two labs, two output folders, or the findings of two reports."""
