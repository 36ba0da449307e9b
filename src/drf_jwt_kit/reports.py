"""Reports of failures: in logs, in mails to the admins, on Django's debug pages. They hold no password and no token."""

from __future__ import annotations

import inspect
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

logger = logging.getLogger("drf_jwt_kit")

_HIDES_VARIABLES = "django.views.decorators.debug"  # where `sensitive_variables` is
_READ_TOKENS = ("rest_framework_simplejwt.", "jwt.", "drf_jwt_kit.")
_HOLD_SECRETS = ("rest_framework.", *_READ_TOKENS)
_MAY_GO_ON = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

# MySQL's numbers for connections, locks and a server that only reads; from 2000 on they are its client's.
_OF_NO_STATEMENT = {1040, 1044, 1045, 1049, 1053, 1129, 1130, 1203, 1205, 1213, 1226, 1290, 1836, *range(2000, 3000)}


def log_failure(sentence: str, error: BaseException, *, in_words: bool = True) -> None:
    """Log what failed with its traceback as text.

    Handlers that report frames with their variables (Django's mails to the admins, error trackers)
    get none: in the frames between a request and its failure are passwords and tokens (law 10).
    An error that may repeat what it was given, in whatever encoding, is not told ``in_words``: its class
    and its place are.
    """
    text = "".join(traceback.format_exception(error) if in_words else _without_words(error))
    logger.error("%s\n%s", sentence, text)


def log_database_failure(error: BaseException) -> None:
    """Log that a database failed; in words only where they cannot quote a statement, and what a project put in it."""
    number = next(iter(error.args), None)
    may_quote = isinstance(number, int) and number not in _OF_NO_STATEMENT
    in_words = isinstance(error, (InterfaceError, OperationalError)) and not may_quote
    log_failure("The database failed.", error, in_words=in_words)


def may_quote_a_setting(error: BaseException) -> bool:
    """Return whether an error may repeat a part of a URL that cannot be read, such as one of a password in it."""
    return isinstance(error, ValueError)


def _without_words(error: BaseException | None) -> Iterator[str]:
    """Yield the tracebacks of the errors before an error, and its own, each with its class alone."""
    if error is not None:
        yield from _without_words(error.__cause__ or error.__context__)
        yield from traceback.format_tb(error.__traceback__)
        yield f"{type(error).__module__}.{type(error).__qualname__}\n"


def without_secrets(error: BaseException) -> BaseException:
    """Return ``error``, and let no frame that knew what was sent, or a key, show its variables any more (law 10).

    ``sensitive_variables`` hides them from Django's reports alone, and not where ``DEBUG`` is on. What it is put
    around stays hidden: its own frames, which have the arguments, are only left out.
    """
    for one in _chain(error):
        link = one.__traceback__
        while link is not None:
            _empty(link.tb_frame)
            while link.tb_next is not None and _module(link.tb_next.tb_frame) == _HIDES_VARIABLES:
                link.tb_next = link.tb_next.tb_next  # in its place: a context manager puts back what it was given
            link = link.tb_next
    return error


@receiver(got_request_exception)
def leave_out_tokens(**kwargs: Any) -> None:
    """Let no report of what a view did not catch show a token or a key, whoever asked simplejwt to read it."""
    error = sys.exception()
    if error is not None and _is_about_tokens(error):
        without_secrets(error)


def _is_about_tokens(error: BaseException) -> bool:
    """Return whether an error came through what reads tokens."""
    frames = (frame for one in _chain(error) for frame, _line in traceback.walk_tb(one.__traceback__))
    return any(_module(frame).startswith(_READ_TOKENS) for frame in frames)


def _module(frame: FrameType) -> str:
    """Return the name of the module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def _empty(frame: FrameType) -> None:
    """Let a frame of DRF's, simplejwt's, PyJWT's or the kit's forget its variables, if it is over."""
    if _module(frame).startswith(_HOLD_SECRETS) and not frame.f_code.co_flags & _MAY_GO_ON:
        with suppress(RuntimeError):  # it runs yet
            frame.clear()


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error, and those that it was raised from, or while handling, or that it is a group of."""
    found = [error]
    for one in found:
        led = [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
        found += [it for it in led if it is not None and not any(it is known for known in found)]  # some compare oddly
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
