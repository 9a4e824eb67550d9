"""The groups every installation begins with; admins change them as they like."""

from typing import Any

from django.contrib.auth.models import Group, Permission

SPEND_ADMINS = "Spend admins"


def make_groups(using: str = "default", **kwargs: Any) -> None:
    """After each app's migrations: the group, once the ledger's permission is there."""
    if Group.objects.using(using).filter(name=SPEND_ADMINS).exists():
        return
    view_spend = Permission.objects.using(using).filter(
        content_type__app_label="ledger", codename="view_spend"
    )
    if permission := view_spend.first():
        Group.objects.using(using).create(name=SPEND_ADMINS).permissions.add(permission)
