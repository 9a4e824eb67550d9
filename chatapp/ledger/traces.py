"""What the ledger remembers of who a person was: mails and webhooks to them or about them."""

import re
from functools import reduce
from json import dumps
from operator import or_
from typing import Any

from django.db.models import Q

from chatapp.accounts.models import User
from chatapp.accounts.signals import person_erased
from chatapp.ledger.alerts import Alert

FIELDS = ("address", "subject", "text")


def listen() -> None:
    person_erased.connect(forget, dispatch_uid="chatapp.ledger.traces")


def forget(person: User, **kwargs: Any) -> None:
    """Their charges and totals stay, under the name of nobody."""
    names = {person.username, person.label, person.email} - {""}
    names |= {dumps(name)[1:-1] for name in names}  # as a webhook's body spells them
    holds = (Q(**{f"{field}__icontains": name}) for field in FIELDS for name in names)
    # Whole words only: what is told of Anna is not about Ann.
    word = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)
    found = Alert.objects.filter(reduce(or_, holds)).values_list("pk", *FIELDS)
    about_them = [pk for pk, *texts in found if word.search("\n".join(texts))]
    Alert.objects.filter(pk__in=about_them).delete()
