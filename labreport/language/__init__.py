"""The languages of the program and its reports: catalogues, and how facts and lists are written."""
