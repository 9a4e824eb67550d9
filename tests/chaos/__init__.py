"""The fault matrix, on real processes: `make chaos`."""
