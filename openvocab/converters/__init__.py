"""Checkpoint files: reading them safely, and the key names of each released family."""
