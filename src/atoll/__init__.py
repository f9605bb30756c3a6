"""Atoll: data science as a service on clinical data."""

__version__ = "0.1.0"
