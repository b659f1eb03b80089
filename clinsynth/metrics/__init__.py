"""Scores of predicted Documents against gold ones: pure counts, and a thin torchmetrics shell."""
