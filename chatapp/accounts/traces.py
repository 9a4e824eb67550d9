"""What else remembers a person's name: the admin's history and the list of failed sign-ins."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from chatapp.accounts.signals import person_erased

if TYPE_CHECKING:
    from chatapp.accounts.models import User


def listen() -> None:
    person_erased.connect(forget, dispatch_uid="chatapp.accounts.traces")


def forget(person: "User", **kwargs: Any) -> None:
    from axes.models import AccessAttempt, AccessFailureLog, AccessLog

    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(username__iexact=person.username).delete()
    about_them = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(type(person)), object_id=str(person.pk)
    )
    about_them.update(object_repr=person.public_id.hex)
