"""Data sets and the rows that were held out, as tables and figures of the report."""
