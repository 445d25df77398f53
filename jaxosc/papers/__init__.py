"""Published papers, recomputed: one folder each, with its data, its statements and its figures."""
