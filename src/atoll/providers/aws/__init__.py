"""What implements ports on AWS."""
