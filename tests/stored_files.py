"""The files of a store: those of runs, and those of rows."""

RUNS = "[0-9a-f]*.safetensors"
"""Files of runs have digests for names."""

ROWS = "rows-*.safetensors"
