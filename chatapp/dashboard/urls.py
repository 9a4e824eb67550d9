"""The dashboard room's addresses: everybody's spend, and under /usage/ each person's own."""

from django.urls import path

from chatapp.dashboard import (
    api,
    as_of_views,
    budget_views,
    reconciliation_views,
    views,
    what_if_views,
)

app_name = "dashboard"
own = {"personal": True}
urlpatterns = [
    path("dashboard/", views.spend, name="spend"),
    path("dashboard/calls/", views.calls, name="calls"),
    path("dashboard/calls/<uuid:uuid>/", views.call, name="call"),
    path("dashboard/export.csv", views.export_csv, name="csv"),
    path("dashboard/export.json", views.export_json, name="json"),
    path("dashboard/focus.csv", views.export_focus, name="focus"),
    path("dashboard/budgets/", budget_views.budgets, name="budgets"),
    path("dashboard/budgets/<int:pk>/", budget_views.budget, name="budget"),
    path("dashboard/budgets/<int:pk>/remove/", budget_views.remove, name="budget_remove"),
    path("dashboard/budgets/requests/<int:pk>/", budget_views.answer, name="budget_answer"),
    path("dashboard/reconciliation/", reconciliation_views.reconciliation, name="reconciliation"),
    path(
        "dashboard/reconciliation/<int:pk>/", reconciliation_views.reconciliation, name="reconciled"
    ),
    path("dashboard/earlier/", as_of_views.earlier, name="earlier"),
    path("dashboard/what-if/", what_if_views.what_if, name="what_if"),
    path("dashboard/tokens/", api.tokens, name="tokens"),
    path("dashboard/tokens/<int:pk>/revoke/", api.revoke, name="token_revoke"),
    path("api/v1/spend.json", api.spend_json, name="api_json"),
    path("api/v1/spend.csv", api.spend_csv, name="api_csv"),
    path("api/v1/focus.csv", api.spend_focus, name="api_focus"),
    path("usage/", views.spend, own, name="usage"),
    path("usage/calls/", views.calls, own, name="usage_calls"),
    path("usage/calls/<uuid:uuid>/", views.call, own, name="usage_call"),
    path("usage/export.csv", views.export_csv, own, name="usage_csv"),
    path("usage/export.json", views.export_json, own, name="usage_json"),
    path("usage/focus.csv", views.export_focus, own, name="usage_focus"),
    path("usage/earlier/", as_of_views.earlier, own, name="usage_earlier"),
    path("usage/what-if/", what_if_views.what_if, own, name="usage_what_if"),
    path("usage/budgets/", budget_views.own, name="own_budgets"),
    path("usage/budgets/<int:pk>/ask/", budget_views.ask, name="budget_ask"),
]
