"""Every address of chatapp and the room that answers it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("chatapp.web.urls")),
    path("", include("chatapp.accounts.urls")),
    path("", include("chatapp.dashboard.urls")),
    path("", include("chatapp.chat.urls")),
    path("admin/", admin.site.urls),
]
