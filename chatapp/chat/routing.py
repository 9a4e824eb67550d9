"""The sockets' addresses; every other one is refused."""

from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path, re_path

from chatapp.chat.consumers import ChatConsumer


class Refuse(AsyncConsumer):
    """Any socket address that is not ours: closed before it opens, without a trace in the log."""

    channel_layer_alias = None

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer


websocket_application = URLRouter(
    [path("ws/chat/", ChatConsumer.as_asgi()), re_path(r"", Refuse.as_asgi())]
)
