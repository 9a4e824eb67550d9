"""What the files of one request may be together, by Anthropic's limits: refused here, not there.

The numbers: https://platform.claude.com/docs/en/build-with-claude/vision
"""

from django.utils.translation import gettext as _

from chatapp.chat.models import Attachment, Message
from chatapp.chat.refusals import Refused
from chatapp.pricing.models import Model
from chatapp.web.numbers import mb, number

FILES_LIMIT = 22_000_000  # bytes: a request may have 32 MB, and base64 adds a third
# With more images than MANY none may have a longer edge, in pixels; alone they may have four times it.
MANY, EDGE_OF_MANY = 20, 2_000
# Images at once, by what a model can read.
SMALL_WINDOW, FEW_IMAGES, MOST_IMAGES = 200_000, 100, 600


def check_files(path: list[Message], model: Model) -> None:
    """Raises Refused when these messages cannot be sent together."""
    files = [file for message in path for file in message.files]
    images = [file for file in files if file.is_image]
    if words := _heavy(files) or _too_many(images, model) or _too_wide(images):
        raise Refused("attachments", words)


def _heavy(files: list[Attachment]) -> str:
    size = sum(file.size for file in files)
    if size <= FILES_LIMIT:
        return ""
    words = _(
        "The files of this conversation have %(size)s MB together; %(most)s MB can be sent at "
        "once. Start a new one for the last file."
    )
    return words % {"size": mb(size), "most": mb(FILES_LIMIT)}


def _too_many(images: list[Attachment], model: Model) -> str:
    most = FEW_IMAGES if model.context_window <= SMALL_WINDOW else MOST_IMAGES
    if len(images) <= most:
        return ""
    words = _(
        "This conversation has %(images)s images; %(model)s looks at %(most)s at most. "
        "Start a new one for the last images."
    )
    return words % {"images": number(len(images)), "model": model.name, "most": number(most)}


def _too_wide(images: list[Attachment]) -> str:
    if len(images) <= MANY:
        return ""
    wide = next((image for image in images if image.edge > EDGE_OF_MANY), None)
    if wide is None:
        return ""
    words = _(
        "This conversation has %(images)s images. With more than %(many)s, none may be wider or "
        "higher than %(edge)s pixels, and “%(name)s” is. Send fewer, or start a new conversation."
    )
    limits = {"many": MANY, "edge": number(EDGE_OF_MANY)}
    return words % {"images": number(len(images)), "name": wide.name, **limits}
