"""The dashboard room's addresses: everybody's spend, and under /usage/ each person's own."""

from django.urls import path

from chatapp.dashboard import views

app_name = "dashboard"
own = {"personal": True}
urlpatterns = [
    path("dashboard/", views.spend, name="spend"),
    path("dashboard/calls/", views.calls, name="calls"),
    path("dashboard/calls/<uuid:uuid>/", views.call, name="call"),
    path("dashboard/export.csv", views.export_csv, name="csv"),
    path("dashboard/export.json", views.export_json, name="json"),
    path("usage/", views.spend, own, name="usage"),
    path("usage/calls/", views.calls, own, name="usage_calls"),
    path("usage/calls/<uuid:uuid>/", views.call, own, name="usage_call"),
    path("usage/export.csv", views.export_csv, own, name="usage_csv"),
    path("usage/export.json", views.export_json, own, name="usage_json"),
]
