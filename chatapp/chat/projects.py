"""Projects: folders of conversations, each with a system prompt and a model to begin with."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from chatapp.chat.draft import TEXT_LIMIT
from chatapp.chat.forms import Move, posted
from chatapp.chat.listing import listing
from chatapp.chat.models import Conversation, Project
from chatapp.chat.picking import usual
from chatapp.chat.text import clean
from chatapp.chat.views import Member, changed, refusals_as_json
from chatapp.chat.wishes import CHOICES, Wishes, offers, usual_of
from chatapp.pricing.models import Model

LONGEST = 10**7  # tokens: each model has its own limit below
USUAL = _("The usual model")
SETTINGS = "name", "system_prompt", "model"
WISHES = {
    "thinking": _("Thinking"),
    "effort": _("Effort"),
    "web_search": _("Web search"),
    "speed": _("Speed"),
    "cache": _("Prompt cache"),
}


class ModelSelect(forms.Select):
    """Each model says what it can do, for project.js; the empty choice what the usual one can."""

    models: dict[str, Model] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if model := self.models.get(value):
            able = {"offers": offers(model), "most": str(model.max_output)} | usual_of(model)
            option["attrs"] |= {f"data-{name}": words for name, words in able.items()}
        return option


class ProjectForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    system_prompt = forms.CharField(
        label=_("System prompt"),
        help_text=_("New chats in this project begin with it. Chats that are there keep theirs."),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=TEXT_LIMIT // 4,
        required=False,
        strip=False,
    )
    model = forms.ChoiceField(label=_("Model"), required=False, widget=ModelSelect)
    max_tokens = forms.IntegerField(
        label=_("Longest reply, in tokens"), min_value=1, max_value=LONGEST, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(list(Model.objects.offered()))
        for name, label in WISHES.items():
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=list(CHOICES[name].items()),
                required=False,
                widget=forms.Select(attrs={"data-wish": True}),
            )
        self.fields["cache"].help_text = _("What a chat's model cannot do is left out.")

    def _offer(self, models: list[Model]) -> None:
        field: Any = self.fields["model"]
        field.choices = [("", USUAL), *((model.id, model.name) for model in models)]
        field.widget.models = {model.id: model for model in models} | {"": usual(models)}
        chosen = self.initial.get("model")
        if chosen and chosen not in field.widget.models:
            gone = Model.objects.filter(id=chosen).first()
            words = _("%(model)s, chosen before, is no longer offered.")
            field.help_text = words % {"model": gone.name if gone else chosen}

    def save(self, project: Project) -> Project:
        for name in SETTINGS:
            setattr(project, name, clean(self.cleaned_data[name]))
        project.max_tokens = self.cleaned_data["max_tokens"]
        project.options = Wishes.of({name: self.cleaned_data[name] for name in WISHES}).kept
        project.save()
        return project


@login_required
def projects(request: Member) -> HttpResponse:
    """All of one's projects; a POST makes another."""
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("chat:project", form.save(Project(owner=request.user)).id)
    kept = Q(conversations__deleted_at=None, conversations__expires_at=None)
    own = Project.objects.filter(owner=request.user).order_by("name")
    context = {
        "section": "chat",
        "form": form,
        "projects": own.annotate(chats=Count("conversations", filter=kept)),
    }
    return render(request, "chat/projects.html", context)


@login_required
def project(request: Member, id: UUID) -> HttpResponse:
    """A project's chats and its settings; a POST changes these."""
    found = get_object_or_404(Project, owner=request.user, id=id)
    settings = {name: getattr(found, name) for name in (*SETTINGS, "max_tokens")}
    settings |= found.options or {}
    form = ProjectForm(request.POST or None, initial=settings)
    if request.method == "POST" and form.is_valid():
        return redirect("chat:project", form.save(found).id)
    chats = Conversation.objects.of(request.user).listed().filter(project=found)
    context = {
        "section": "chat",
        "project": found,
        "projects": Project.objects.filter(owner=request.user).order_by("name"),
        "form": form,
        "listing": listing(chats, request.GET.get("after", "")),
    }
    return render(request, "chat/project.html", context)


@require_POST
@login_required
def delete(request: Member, id: UUID) -> HttpResponse:
    """The folder goes, the conversations stay."""
    get_object_or_404(Project, owner=request.user, id=id).delete()
    return redirect("chat:projects")


@refusals_as_json
def move(request: Member, id: UUID) -> JsonResponse:
    conversation = get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)
    chosen = Move(posted(request)).clean_or_refuse()["project"]
    conversation.move(get_object_or_404(Project, owner=request.user, id=chosen) if chosen else None)
    return changed(conversation)
