"""Stands before pandas on the path of platforms that tests start: an installed Atoll has none, and pyarrow loads it."""

raise ImportError("Not installed with Atoll.")
