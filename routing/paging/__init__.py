"""Paging: ring one person after the other until somebody accepts. An answered call is nothing; a key press is."""
