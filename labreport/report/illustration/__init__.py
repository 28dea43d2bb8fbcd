"""Figures and tables of an experiment: what is drawn, and what it shows in words."""
