"""Texts that people write and review (contracts, products): YAML with lines, every fault at once."""

from atoll.reviewed.text import Finding, TextKind, read_text

__all__ = ["Finding", "TextKind", "read_text"]
