"""Machines as people order them: the catalog, sizes, quotas, the life of a workspace. Pure but for records."""
