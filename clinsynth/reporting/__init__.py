"""Pages and cards of runs, corpora and bundles: what they are, what they scored, where they go wrong.

Reads what other commands left behind; needs no torch. The page needs the extra ``report``.
"""
