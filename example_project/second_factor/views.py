"""A view for who has just signed in with a second factor."""

from datetime import timedelta

from drf_jwt_kit.permissions import ProtectedByDefaultMixin, RecentlyAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notes.models import Note
from notes.serializers import NoteSerializer


class ExportView(ProtectedByDefaultMixin, APIView):
    """Everything that a user has written, at once: a stolen phone must not be enough for that."""

    permission_classes = [RecentlyAuthenticated(max_age=timedelta(minutes=5), amr="otp")]

    def get(self, request: Request) -> Response:
        """Return all notes of the user that asks, archived ones too."""
        notes = Note.objects.filter(owner=request.user)
        return Response(NoteSerializer(notes, many=True).data)
