"""A package, so that its one platform and browser end with its last test: a browser leaves an event loop running."""
