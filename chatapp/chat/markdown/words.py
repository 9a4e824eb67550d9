"""The few words that a page says around a reply's text, in whatever language `say` speaks."""

from collections.abc import Callable

# This room knows no Django: chat/apps.py lends it gettext.
say: Callable[[str], str] = str
