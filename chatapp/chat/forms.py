"""What pages post as JSON: read, checked, and answered in words."""

import json
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.http import HttpRequest

from chatapp.chat.draft import TEXT_LIMIT, Ask
from chatapp.chat.refusals import Refused
from chatapp.chat.text import clean


def posted(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body, or the form's fields. Raises Refused."""
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise Refused("malformed", "That was not a JSON object.")
    return {name: clean(value) if isinstance(value, str) else value for name, value in data.items()}


class Form(forms.Form):
    def clean_or_refuse(self) -> dict[str, Any]:
        """The cleaned data; a single refusal in words otherwise."""
        if not self.is_valid():
            field, errors = next(iter(self.errors.items()))
            raise Refused("malformed", " ".join(map(str, errors)), field=field)
        return self.cleaned_data


class Uuids(forms.Field):
    """A list of UUIDs, which came as JSON already."""

    def to_python(self, value: Any) -> list[UUID]:
        try:
            return [UUID(id) for id in value or []]
        except (TypeError, ValueError, AttributeError):
            raise forms.ValidationError("These are not ids.") from None


class Rename(Form):
    title = forms.CharField(max_length=200)


class Mark(Form):
    on = forms.BooleanField(required=False)


class Move(Form):
    project = forms.UUIDField(required=False)


class Settings(Form):
    """Of one conversation; what is left out stays as it is."""

    model = forms.CharField(max_length=100, required=False)
    max_tokens = forms.IntegerField(min_value=1, max_value=10**7, required=False)
    system_prompt = forms.CharField(max_length=TEXT_LIMIT, required=False, strip=False)
    options = forms.JSONField(required=False)


class Draft(Settings):
    """What the composer asks a quote for."""

    conversation = forms.UUIDField(required=False)
    project = forms.UUIDField(required=False)
    parent = forms.UUIDField(required=False)
    text = forms.CharField(max_length=2 * TEXT_LIMIT, strip=False, required=False)
    attachments = Uuids(required=False)

    def ask(self) -> Ask:
        data = self.clean_or_refuse()
        return Ask(
            key=uuid4(),
            conversation=data["conversation"],
            project=data["project"],
            parent=data["parent"],
            text=data["text"],
            attachments=tuple(data["attachments"]),
            model=data["model"] or None,
            max_tokens=data["max_tokens"],
            system_prompt=data["system_prompt"] if "system_prompt" in self.data else None,
            options=data["options"],
        )
