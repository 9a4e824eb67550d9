"""The chat page and what it posts. Whatever is not this person's does not exist for them."""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from chatapp.accounts.models import User
from chatapp.chat import articles, asking, forms, quoting
from chatapp.chat.broadcast import broadcast
from chatapp.chat.draft import Ask, change_settings
from chatapp.chat.figures import Figures, figures
from chatapp.chat.listing import listing
from chatapp.chat.models import Conversation, Generation, Message
from chatapp.chat.picking import Picker
from chatapp.chat.refusals import Refused
from chatapp.claude.errors import Fault
from chatapp.ledger.models import Charge
from chatapp.web.database import db

P = ParamSpec("P")

PIECE = 512_000  # bytes of a file sent at once


class Member(HttpRequest):
    """A request of somebody signed in."""

    user: User


def refusals_as_json(
    view: Callable[Concatenate[Member, P], JsonResponse],
) -> Callable[Concatenate[Member, P], JsonResponse]:
    """A POST whose refusals are answered as {"error": words}."""

    @require_POST
    @login_required
    @wraps(view)
    def answer(request: Member, /, *args: P.args, **kwargs: P.kwargs) -> JsonResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refused:
            return refusal(refused)

    return answer


def refusal(refused: Refused) -> JsonResponse:
    body = {"error": refused.message, "code": refused.code, "field": refused.field}
    return JsonResponse(body, status=404 if refused.code == "not_found" else 400)


@require_GET
@login_required
def new(request: Member) -> HttpResponse:
    """An empty conversation, which exists from its first message on."""
    fresh = Conversation(model=settings.DEFAULT_MODEL, max_tokens=settings.DEFAULT_MAX_TOKENS)
    if project := uuid_in(request, "project"):
        fresh.begin_in(get_object_or_404(request.user.projects, id=project))
    if summary := uuid_in(request, "summary"):
        replies = mine(request).filter(role=Message.Role.ASSISTANT)
        fresh.begin_after(get_object_or_404(replies, id=summary))
    return page(request, fresh, None)


@require_GET
@login_required
def conversation(request: Member, id: UUID) -> HttpResponse:
    """A conversation, read without JavaScript too; `?at=` chooses the branch through a message."""
    found = get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)
    return page(request, found, found)


def page(request: Member, chosen: Conversation, conversation: Conversation | None) -> HttpResponse:
    messages = articles.branch(conversation, uuid_in(request, "at")) if conversation else []
    picker = Picker.of(chosen)
    limit = picker.model.max_output
    context = {
        "section": "chat",
        "conversation": conversation,
        "project": chosen.project,
        "temporary": chosen.expires_at or "temporary" in request.GET,
        "temporary_hours": settings.TEMPORARY_HOURS,
        "projects": request.user.projects.order_by("name"),
        "attachments": attachment_limits(),
        "messages": messages,
        "listing": listing(Conversation.objects.of(request.user).listed()),
        "models": picker.models,
        "model": picker.model.id,
        "gone": picker.gone,
        "gone_words": picker.why,
        "max_tokens": min(chosen.max_tokens, limit),
        "max_tokens_limit": limit,
        "system_prompt": chosen.system_prompt,
        "wishes": chosen.options or {},
        "figures": figures(conversation, messages) if conversation else Figures(),
    }
    return render(request, "chat/page.html", context)


def attachment_limits() -> dict[str, int]:
    """How many files, bytes of each, and bytes of a piece: a request's body has its limit too."""
    step = min(settings.MAX_BODY, PIECE)
    return {"most": settings.ATTACHMENTS, "bytes": settings.ATTACHMENT_BYTES, "step": step}


def uuid_in(request: HttpRequest, name: str) -> UUID | None:
    try:
        return UUID(request.GET[name])
    except (KeyError, ValueError):
        return None


@require_GET
@login_required
def figures_(request: Member, id: UUID) -> HttpResponse:
    """What stands above the branch through `?at=`, when it has changed."""
    found = get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)
    path = articles.branch(found, uuid_in(request, "at"))
    context = {"figures": figures(found, path)}
    parts = [render_to_string(f"chat/_{part}.html", context) for part in ("figures", "full")]
    return HttpResponse("".join(parts))


@refusals_as_json
def rename(request: Member, id: UUID) -> JsonResponse:
    conversation = get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)
    conversation.rename(forms.Rename(forms.posted(request)).clean_or_refuse()["title"])
    return changed(conversation)


@refusals_as_json
def delete(request: Member, id: UUID) -> JsonResponse:
    """Hide it at once; `restore` brings it back within the hour."""
    conversation = get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)
    conversation.hide()
    return changed(conversation)


@refusals_as_json
def restore(request: Member, id: UUID) -> JsonResponse:
    conversation = get_object_or_404(Conversation.objects.of(request.user), id=id)
    conversation.restore()
    return changed(conversation)


@refusals_as_json
def close(request: Member, id: UUID) -> JsonResponse:
    """End a temporary chat: nothing of it can be brought back."""
    temporary = Conversation.objects.of(request.user).kept().exclude(expires_at=None)
    conversation = get_object_or_404(temporary, id=id)
    live = Generation.objects.live().filter(message__conversation=conversation)
    live.update(stop_requested=True)
    conversation.close()
    return JsonResponse({"ok": True})


@refusals_as_json
def settings_(request: Member, id: UUID) -> JsonResponse:
    conversation = get_object_or_404(Conversation.objects.of(request.user).kept(), id=id)
    form = forms.Settings(forms.posted(request))
    data = form.clean_or_refuse()
    system_prompt = data["system_prompt"] if "system_prompt" in form.data else None
    change_settings(
        conversation, data["model"] or None, data["max_tokens"], system_prompt, data["options"]
    )
    conversation.save()
    return changed(conversation)


def changed(conversation: Conversation) -> JsonResponse:
    """Let every tab of this person know."""
    broadcast.announce(*asking.row_news(conversation))
    return JsonResponse(
        {
            "ok": True,
            "id": str(conversation.id),
            "title": conversation.title,
            "model": conversation.model,
            "max_tokens": conversation.max_tokens,
            "system_prompt": conversation.system_prompt,
            "options": conversation.options or {},
        }
    )


@require_POST
async def quote(request: HttpRequest) -> HttpResponseBase:
    """What the draft would cost. The page aborts stale ones, which ends them here too."""
    user = await db(get_user, request)
    if not isinstance(user, User):
        return JsonResponse({"error": _("You are signed out."), "code": "signed_out"}, status=401)
    try:
        return JsonResponse(asdict(await quoted(user, forms.Draft(forms.posted(request)).ask())))
    except Refused as refused:
        return refusal(refused)


async def quoted(user: User, ask: Ask) -> quoting.Quote:
    prompt, cached = await db(quoting.draft_of, user, ask)
    try:
        tokens, approximate = await asking.count(prompt), False
    except Fault:
        tokens, approximate = quoting.guess(prompt), True
    return await db(quoting.quote, user, prompt, tokens, cached, approximate=approximate)


@require_GET
@login_required
def receipt(request: Member, id: UUID) -> HttpResponse:
    """What one reply cost, line by line, and each attempt at it that cost something."""
    message = get_object_or_404(mine(request), charge__isnull=False, id=id)
    attempts = Charge.objects.filter(reference=message.generation.id).order_by("attempt")
    context = {
        "section": "chat",
        "message": message,
        "conversation": message.conversation,
        "receipt": message.charge.receipt() if message.charge else None,
        "receipts": [charge.receipt() for charge in attempts],
    }
    return render(request, "chat/receipt.html", context)


@require_GET
@login_required
def text(request: Member, id: UUID) -> HttpResponse:
    """A message's Markdown, for copying."""
    message = get_object_or_404(mine(request), id=id)
    return HttpResponse(message.text, content_type="text/plain; charset=utf-8")


def mine(request: Member) -> QuerySet[Message]:
    return articles.shown().filter(
        conversation__owner=request.user, conversation__deleted_at__isnull=True
    )
