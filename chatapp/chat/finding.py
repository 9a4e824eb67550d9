"""Where people look for a conversation: the list page by page, the archive, and search."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from chatapp.chat import forms
from chatapp.chat.listing import listing
from chatapp.chat.models import Conversation
from chatapp.chat.search import search as found
from chatapp.chat.views import Member, changed, refusals_as_json

QUERY = 200  # characters


@require_GET
@login_required
def chats(request: Member) -> HttpResponse:
    """One page of the list, or of the archive; `?after=` says where it begins."""
    archived = "archived" in request.GET
    own = Conversation.objects.of(request.user)
    chosen = own.lasting().filter(archived_at__isnull=False) if archived else own.listed()
    context = {
        "section": "chat",
        "archived": archived,
        "projects": request.user.projects.order_by("name"),
        "listing": listing(chosen, request.GET.get("after", "")),
    }
    return render(request, "chat/chats.html", context)


@require_GET
@login_required
def search(request: Member) -> HttpResponse:
    """What has the words of `?q=`; without any, the newest conversations."""
    query = request.GET.get("q", "").strip()[:QUERY]
    newest = [] if query else Conversation.objects.of(request.user).listed()[:8]
    context = {
        "section": "chat",
        "query": query,
        "found": found(request.user, query),
        "newest": newest,
    }
    return render(request, "chat/search.html", context)


@refusals_as_json
def pin(request: Member, id: UUID) -> JsonResponse:
    conversation = _own(request, id)
    conversation.pin(_on(request))
    return changed(conversation)


@refusals_as_json
def archive(request: Member, id: UUID) -> JsonResponse:
    conversation = _own(request, id)
    conversation.archive(_on(request))
    return changed(conversation)


def _own(request: Member, id: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)


def _on(request: HttpRequest) -> bool:
    on: bool = forms.Mark(forms.posted(request)).clean_or_refuse()["on"]
    return on
