"""``clinsynth annotate``: files of any size through a bundle, row by row, resumable; no torch."""
