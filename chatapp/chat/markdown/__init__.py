"""Markdown to safe HTML: whole texts, and replies that are still being written, block by block."""

from chatapp.chat.markdown.render import render
from chatapp.chat.markdown.stream import Block, BlockStream

__all__ = ["Block", "BlockStream", "render"]
