"""Rules about the code that import-linter cannot see, read from the syntax tree."""
