"""A migration over millions of rows is waited for; nothing else is waited for that long."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.signals import pre_migrate

from chatapp.web.postgresql import patience


@pytest.mark.django_db
def test_a_migration_is_waited_for() -> None:
    waited = []

    def hear(**kwargs: Any) -> None:
        waited.append(patience.get())

    before = patience.get()
    pre_migrate.connect(hear)
    try:
        call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(hear)
    assert waited
    assert min(waited) >= 3600 > before == patience.get()
