"""People talking: conversations, messages and the engine that writes replies."""
