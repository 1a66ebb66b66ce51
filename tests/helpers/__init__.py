"""What several test files need: tiny models, made-up files, processes."""
