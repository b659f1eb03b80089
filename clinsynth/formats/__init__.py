"""Readers and writers of corpus formats. ``formats`` chooses among them."""
