"""Reports of failures: in logs, in mails to the admins, on Django's debug pages. They hold no password and no token."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

logger = logging.getLogger("drf_jwt_kit")

# Modules of DRF's, simplejwt's and the kit's, and that of `sensitive_variables` itself.
_HOLD_SECRETS = ("rest_framework", "drf_jwt_kit", "django.views.decorators.debug")


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


def without_secrets(error: BaseException) -> BaseException:
    """Return ``error``, and let no frame that knew what was sent show its variables any more (law 10).

    ``sensitive_variables`` hides them from Django's reports alone, and not where ``DEBUG`` is on. The lines stay.
    """
    for one in _chain(error):
        for frame, _line in traceback.walk_tb(one.__traceback__):
            if str(frame.f_globals.get("__name__", "")).startswith(_HOLD_SECRETS):
                with suppress(RuntimeError):  # it runs yet
                    frame.clear()
    return error


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error, and those that it was raised from or while handling."""
    found = [error]
    for one in found:
        found += [led for led in (one.__cause__, one.__context__) if led is not None and led not in found]
    return found


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
