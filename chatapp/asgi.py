"""The ASGI application: pages to Django, sockets to the chat consumer."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # before anything imports models

from channels.routing import ProtocolTypeRouter  # noqa: E402

from chatapp.chat.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": django_application, "websocket": websocket_application})
