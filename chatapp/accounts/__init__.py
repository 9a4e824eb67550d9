"""Who: people, teams, and how they come in."""
