"""From what a language model wrote to a corpus to train on: what to leave out, and an account of it."""
