"""The addresses of exporting.py: one file out, one file in."""

import json
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from chatapp.chat import articles
from chatapp.chat.exporting import as_json, as_markdown, bring_in, bring_one
from chatapp.chat.forms import posted
from chatapp.chat.models import Conversation
from chatapp.chat.refusals import Refused
from chatapp.chat.views import Member, refusals_as_json, uuid_in


@require_GET
@login_required
def markdown(request: Member, id: UUID) -> HttpResponse:
    """The branch that is shown; `?at=` chooses another, as on the page."""
    conversation = _own(request, id)
    text = as_markdown(conversation, articles.branch(conversation, uuid_in(request, "at")))
    return _file(conversation, "md", text, "text/markdown; charset=utf-8")


@require_GET
@login_required
def whole(request: Member, id: UUID) -> HttpResponse:
    """Every branch, as JSON that can be brought in again."""
    conversation = _own(request, id)
    text = json.dumps(as_json(conversation), ensure_ascii=False, indent=1)
    return _file(conversation, "json", text, "application/json")


@login_required
def bring(request: Member) -> HttpResponse:
    """Asks for a file; a POST makes conversations of it."""
    trouble = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            made = bring_in(request.user, file.read() if file else b"")
        except Refused as refused:
            trouble = refused.message
        else:
            only = made[0].id if len(made) == 1 else None
            return redirect("chat:conversation", only) if only else redirect("chat:chats")
    context = {"section": "chat", "trouble": trouble, "most": settings.MAX_BODY}
    return render(request, "chat/import.html", context, status=400 if trouble else 200)


@refusals_as_json
def bring_each(request: Member) -> JsonResponse:
    """One of the chats of a larger file, which the page posts one by one."""
    made = bring_one(request.user, posted(request))
    return JsonResponse({"url": reverse("chat:conversation", args=[made.id])})


def _own(request: Member, id: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)


def _file(conversation: Conversation, ending: str, text: str, kind: str) -> HttpResponse:
    name = f"{slugify(conversation.title)[:60] or 'chat'}.{ending}"
    header = content_disposition_header(True, name)
    assert header
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": header})
