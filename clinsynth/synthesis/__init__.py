"""A task becomes labelled text: prompts, plans, and the reading of what a language model answers."""
