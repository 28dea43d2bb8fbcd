"""Where examples come from: files, bundled sets and rules; split, scaled and encoded."""
