"""Stories: one file each, read top to bottom. Rooms meet here and nowhere else."""
