"""The command line. It speaks HTTP through the client, as any user could."""
