"""What is removed for good: what was deleted, once an undo has passed; temporary chats; unsent files."""

from chatapp.chat.models import Attachment, Conversation, Message

AT_ONCE = 20


def forget() -> None:
    """Remove the words and files of a few things whose time has come. What they cost stays."""
    for thing in [
        *Conversation.objects.forgotten()[:AT_ONCE],
        *Message.objects.forgotten()[:AT_ONCE],
        *Attachment.objects.forgotten()[:AT_ONCE],
    ]:
        thing.delete()
