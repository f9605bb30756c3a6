"""What is looked for in a file, one check or family of forms each."""
