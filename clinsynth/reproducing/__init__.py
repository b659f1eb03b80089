"""The paper's table in one command: cells that are run once, and the tables and curves made of them."""
