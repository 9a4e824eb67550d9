"""Chatapp: a team chats with Claude, and every dollar of it is accounted for."""
