"""Notes as JSON."""

from rest_framework import serializers

from notes.models import Note


class NoteSerializer(serializers.ModelSerializer):
    """A note without its owner, who is always the user that asks."""

    class Meta:
        """What a client sees, and what it may not write."""

        model = Note
        fields = ("id", "title", "body", "archived", "created_at", "updated_at")
        read_only_fields = ("archived",)
