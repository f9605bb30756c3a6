"""Shapes of requests and answers. Hashes, keys and raw values have no place in any of them."""
