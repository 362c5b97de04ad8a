"""The published documents: one self-contained HTML page in both languages, from scores and what is known about them."""
