"""People, projects, grants and tokens: who may do what."""
