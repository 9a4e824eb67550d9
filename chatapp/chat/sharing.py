"""Sharing: a link to one branch, made, renewed and taken back, and the page that it leads to."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from chatapp.chat import articles
from chatapp.chat.models import Conversation, Message, Share
from chatapp.chat.models.share import ANYONE, OFF
from chatapp.chat.views import Member


@login_required
def share(request: Member, id: UUID) -> HttpResponse:
    """Whether this chat is shared; a POST shares what is there now, or takes the link back."""
    if settings.SHARE_LINKS == OFF:
        raise Http404
    own = Conversation.objects.of(request.user).lasting()
    conversation = get_object_or_404(own, id=id)
    branch = articles.branch(conversation)
    if request.method == "POST":
        _change(conversation, branch, stop="stop" in request.POST)
        from_list = request.POST.get("stop") == "list"
        return redirect("chat:shares") if from_list else redirect("chat:share", id)
    found = Share.objects.filter(conversation=conversation).first()
    context = {
        "section": "chat",
        "conversation": conversation,
        "count": len(branch),
        "share": found,
        "url": found and found.url,
        "later": found and branch and branch[-1].id != found.upto_id,
        "anyone": settings.SHARE_LINKS == ANYONE,
    }
    return render(request, "chat/share.html", context)


@require_GET
@login_required
def shares(request: Member) -> HttpResponse:
    """Every link of this person's that can be read, the newest first."""
    if settings.SHARE_LINKS == OFF:
        raise Http404
    links = Share.objects.open().filter(conversation__owner=request.user)
    context = {
        "section": "chat",
        "shares": links.select_related("conversation").order_by("-shared_at"),
        "anyone": settings.SHARE_LINKS == ANYONE,
    }
    return render(request, "chat/shares.html", context)


def _change(conversation: Conversation, branch: list[Message], *, stop: bool) -> None:
    """The address stays while the link lives; taken back, it is never the same again."""
    if stop:
        Share.objects.filter(conversation=conversation).delete()
    elif branch:
        now = {"upto": branch[-1], "shared_at": timezone.now()}
        Share.objects.update_or_create(conversation=conversation, defaults=now)


@require_GET
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """What was shared, to be read: no money, no other chats, nothing to press."""
    if settings.SHARE_LINKS != ANYONE and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    links = Share.objects.open().select_related("conversation__owner", "upto")
    found = get_object_or_404(links, token=token)
    response = render(request, "chat/shared.html", {"share": found, "section": ""})
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response
