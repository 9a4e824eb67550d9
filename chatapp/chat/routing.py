"""The sockets' addresses; every other one is refused."""

from channels.routing import URLRouter
from django.urls import path, re_path

from chatapp.chat.consumers import ChatConsumer, Refuse

websocket_application = URLRouter(
    [path("ws/chat/", ChatConsumer.as_asgi()), re_path(r"", Refuse.as_asgi())]
)
