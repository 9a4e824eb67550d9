"""The tests mirror the rooms; `python -m tests` runs all of them against every database."""
