"""Turns a file of neural-network experiments into a lab report that can be checked."""

__version__ = "0.1.0"
