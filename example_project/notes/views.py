"""The notes API.

Nothing here asks for a token: with the kit installed every view needs one, unless it says ``@public``.
"""

from typing import Any

from django.db.models import QuerySet
from drf_jwt_kit.permissions import ProtectedByDefaultMixin, public
from rest_framework import viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from notes.models import Note
from notes.serializers import NoteSerializer


class NoteViewSet(ProtectedByDefaultMixin, viewsets.ModelViewSet):
    """The notes of the user that asks.

    The mixin stands first. It keeps the door shut even if somebody later writes ``permission_classes = []``.
    """

    serializer_class = NoteSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Note]:
        """Return own notes only, so that another user's note is a 404 like one that never was."""
        return Note.objects.filter(owner=self.request.user)

    def filter_queryset(self, queryset: QuerySet[Note]) -> QuerySet[Note]:
        """Leave archived notes out of the list."""
        return queryset.filter(archived=False) if self.action == "list" else queryset

    def perform_create(self, serializer: BaseSerializer[Note]) -> None:
        """Give a new note to the user that asks."""
        serializer.save(owner=self.request.user)

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **kwargs: Any) -> Response:
        """Put one note away."""
        note = self.get_object()
        note.archived = True
        note.save(update_fields=["archived", "updated_at"])
        return Response(self.get_serializer(note).data)

    @action(detail=False)
    def archived(self, request: Request) -> Response:
        """List the notes that were put away."""
        notes = self.get_queryset().filter(archived=True)
        return Response(self.get_serializer(notes, many=True).data)


class MeView(APIView):
    """Who the token belongs to. A bare ``APIView``: the kit's default protects it."""

    def get(self, request: Request) -> Response:
        """Return the user that asks."""
        return Response({"id": request.user.pk, "username": request.user.get_username()})


@api_view(["GET"])
@public
def status(request: Request) -> Response:
    """Say that the API is up: the one endpoint that needs no token."""
    return Response({"status": "ok"})
