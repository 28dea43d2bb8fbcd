"""From run configurations to traces; the only room that imports torch."""
