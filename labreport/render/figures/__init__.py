"""Figures as SVG, one kind a file; matplotlib without its global state."""
