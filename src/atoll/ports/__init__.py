"""Protocols that stores and backends implement."""
