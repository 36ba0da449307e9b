"""Reports of failures: in logs, in mails to the admins, on Django's debug pages. They hold no password and no token."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

logger = logging.getLogger("drf_jwt_kit")

# Modules: DRF's and simplejwt's, the kit's serializers, and `sensitive_variables` itself.
_HIDES_VARIABLES = "django.views.decorators.debug"
_HOLD_WHAT_WAS_POSTED = ("rest_framework", "drf_jwt_kit.serializers", _HIDES_VARIABLES)


def log_failure(sentence: str, error: BaseException, *, in_words: bool = True) -> None:
    """Log what failed with its traceback as text.

    Handlers that report frames with their variables (Django's mails to the admins, error trackers)
    get none: in the frames between a request and its failure are passwords and tokens (law 10).
    An error that may repeat what it was given, in whatever encoding, is not told ``in_words``: its class
    and its place are.
    """
    text = "".join(traceback.format_exception(error) if in_words else _without_words(error))
    logger.error("%s\n%s", sentence, text)


def _without_words(error: BaseException | None) -> Iterator[str]:
    """Yield the tracebacks of the errors before an error, and its own, each with its class alone."""
    if error is not None:
        yield from _without_words(error.__cause__ or error.__context__)
        yield from traceback.format_tb(error.__traceback__)
        yield f"{type(error).__module__}.{type(error).__qualname__}\n"


def without_posted_data(error: BaseException) -> BaseException:
    """Return ``error`` without the frames whose variables hold what was posted (law 10).

    ``sensitive_variables`` hides them from Django's reports alone, and not where ``DEBUG`` is on.
    """
    kept: TracebackType | None = None
    frames = [*traceback.walk_tb(error.__traceback__)]
    callers = ["", *(_module(frame) for frame, _line in frames)]
    for (frame, lineno), caller in reversed([*zip(frames, callers, strict=False)]):
        is_declared = caller == _HIDES_VARIABLES and _module(frame).startswith("drf_jwt_kit")
        if not is_declared and not _module(frame).startswith(_HOLD_WHAT_WAS_POSTED):
            kept = TracebackType(kept, frame, frame.f_lasti, lineno)
    for chained in (error.__cause__, error.__context__):
        if chained is not None:
            without_posted_data(chained)
    return error.with_traceback(kept)


def _module(frame: FrameType) -> str:
    """Return the name of the module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def let_be_reported(request: Any) -> None:
    """Let no report of ``request`` stumble over a form that cannot be read.

    Django's mails to the admins show the form behind every 5xx, and raise what reading it raises: HTML, where JSON
    was the answer.
    """
    request = getattr(request, "_request", request)
    try:
        request.POST, request.FILES  # noqa: B018 - which read it
    except Exception:  # noqa: BLE001 - a size, a boundary, a charset, a client that is gone: it is not shown
        leave_out_form(request)


def leave_out_form(request: Any) -> None:
    """Let reports of ``request`` show no form, as of one whose body is JSON.

    Where ``DEBUG`` is on they would show all of it; and some projects have refusals reported as well, where reading
    what was refused may fail.
    """
    request = getattr(request, "_request", request)
    request._post, request._files = QueryDict(), MultiValueDict()
