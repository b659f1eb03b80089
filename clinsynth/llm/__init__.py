"""From a task to labelled text: plans, requests to a language model, replies, and what they say."""
