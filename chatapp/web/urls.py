"""The web room's addresses."""

from django.urls import path

from chatapp.web import health, views

app_name = "web"
urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("healthz", health.healthz, name="healthz"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
]
