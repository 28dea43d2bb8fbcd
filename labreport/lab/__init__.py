"""From experiments.toml to run configurations; needs neither torch nor numpy."""
