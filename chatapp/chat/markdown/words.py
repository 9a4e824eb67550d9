"""The few words that a page says around a reply's text, in whatever language `spoken` puts them."""

from collections.abc import Callable

# This room knows no Django: chat/apps.py lends it gettext.
spoken: Callable[[str], str] = str
