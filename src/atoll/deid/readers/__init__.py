"""Readers of delivered formats: a file in, an IdentifiedBatch out."""
