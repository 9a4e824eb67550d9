"""What the chat room keeps: people's conversations, and the replies being written in them."""

from chatapp.chat.models.attachment import Attachment
from chatapp.chat.models.conversation import Conversation, Message, Project
from chatapp.chat.models.generation import Chunk, Generation, Settlement
from chatapp.chat.models.share import Share

__all__ = [
    "Attachment",
    "Chunk",
    "Conversation",
    "Generation",
    "Message",
    "Project",
    "Settlement",
    "Share",
]
