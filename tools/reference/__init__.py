"""Pages of docs/reference, each written from the code it describes."""
