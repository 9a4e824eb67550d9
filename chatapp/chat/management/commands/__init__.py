"""Commands of the chat room."""
