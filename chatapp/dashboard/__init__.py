"""Who spent what."""
