"""Files on their way in, piece by piece, and out again: to their owner only, and never as a page."""

import unicodedata
from pathlib import PurePosixPath
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chatapp.chat.forms import Form, posted
from chatapp.chat.models import Attachment
from chatapp.chat.refusals import Refused
from chatapp.chat.sniffing import pixels, sniff
from chatapp.chat.views import Member, refusals_as_json
from chatapp.claude.files import IMAGES, TEXT
from chatapp.web.numbers import localized, mb, number

NAME = 120  # characters kept of a file's name
WAITING = 40  # files of one person that no message has yet
# Anthropic's own limits: 5 MB of base64, and pixels of an edge.
IMAGE_BYTES = 3_750_000
EDGE = 8_000
INERT = "default-src 'none'; sandbox"


class Announced(Form):
    name = forms.CharField(max_length=1_000, required=False)
    size = forms.IntegerField(min_value=1)


class Piece(Form):
    at = forms.IntegerField(min_value=0)


@refusals_as_json
def begin(request: Member) -> JsonResponse:
    """A file is coming: its place, to which its pieces are then posted."""
    data = Announced(posted(request)).clean_or_refuse()
    if data["size"] > settings.ATTACHMENT_BYTES:
        raise Refused(
            "too_large",
            _("It is larger than %(size)s MB.") % {"size": mb(settings.ATTACHMENT_BYTES)},
        )
    if request.user.attachments.filter(messages=None).count() >= WAITING:
        raise Refused("too_many", _("Too many of your files wait to be sent. Send or remove some."))
    made = Attachment.objects.create(
        owner=request.user, name=inert(data["name"]), size=data["size"]
    )
    return JsonResponse({"id": str(made.id)})


@refusals_as_json
def piece(request: Member, id: UUID) -> JsonResponse:
    """The bytes from `?at=` on; with the last one the file is looked at, and kept or refused."""
    attachment = get_object_or_404(Attachment.objects.of(request.user), id=id, media_type="")
    at = Piece(request.GET).clean_or_refuse()["at"]
    if at + len(request.body) > attachment.size:
        raise Refused("too_large", _("There is more of it than was said."))
    if attachment.write(at, request.body) == attachment.size:
        _accept(attachment)
    return JsonResponse({"name": attachment.name, "media_type": attachment.media_type})


@refusals_as_json
def remove(request: Member, id: UUID) -> JsonResponse:
    """Forget a file that was not sent after all."""
    Attachment.objects.of(request.user).filter(id=id, messages=None).delete()
    return JsonResponse({"ok": True})


@require_GET
@login_required
def serve(request: Member, id: UUID) -> HttpResponse:
    """The file as it came, to be saved; a browser that shows it anyway runs nothing in it."""
    attachment = get_object_or_404(Attachment.objects.of(request.user).whole(), id=id)
    if not attachment.path.exists():
        return HttpResponse(_("This file was lost."), status=410, content_type=TEXT)
    kind = f"{TEXT}; charset=utf-8" if attachment.media_type == TEXT else attachment.media_type
    header = content_disposition_header(True, attachment.name)
    assert header
    headers = {"Content-Disposition": header, "Content-Security-Policy": INERT}
    return HttpResponse(attachment.path.read_bytes(), content_type=kind, headers=headers)


def inert(name: str) -> str:
    """A file's name without folders, and without what is not seen or turns text around."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in last)
    words = " ".join(shown.split())
    return (words if len(words) <= NAME else f"{words[: NAME - 9]}…{words[-8:]}") or "file"


def _accept(attachment: Attachment) -> None:
    """Say what kind of file has arrived. Raises Refused, and then forgets it."""
    content = attachment.path.read_bytes()
    attachment.media_type = sniff(content)
    if trouble := _trouble(attachment.media_type, content):
        attachment.delete()
        raise Refused("unfit", trouble)
    attachment.save(update_fields=["media_type"])


def _trouble(media_type: str, content: bytes) -> str:
    if not media_type:
        return _("It is neither an image (PNG, JPEG, GIF, WebP) nor a PDF nor text in UTF-8.")
    if media_type not in IMAGES:
        return ""
    if len(content) > IMAGE_BYTES:
        words = _("Images may have %(size)s MB at most. Make it smaller.")
        return words % {"size": localized(f"{IMAGE_BYTES / 10**6:.2f}")}
    size = pixels(content)
    if size is None or not all(size):
        return _("The image is damaged.")
    if max(size) > EDGE:
        words = _("Images may be %(edge)s pixels wide and high at most. Make it smaller.")
        return words % {"edge": number(EDGE)}
    return ""
