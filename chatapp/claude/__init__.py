"""The one door to Anthropic."""
