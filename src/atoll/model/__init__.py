"""Frozen nouns that rooms exchange. No I/O happens here."""
