"""The example project's API over HTTP, as a client of it would use it."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from notes.demo import NOTES, PASSWORDS
from notes.models import Note
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], APIClient]


@pytest.fixture
def demo_users(db: None) -> None:
    """Seed the users that the demo has."""
    call_command("seed_demo", stdout=StringIO())


@pytest.fixture
def signed_in(demo_users: None) -> SignIn:
    """Return a function that signs a user of the demo in and returns the client."""

    def sign_in(username: str) -> APIClient:
        """Obtain a token over HTTP and send it from now on."""
        client = APIClient()
        credentials = {"username": username, "password": PASSWORDS[username]}
        answer = client.post("/api/token/", credentials, format="json")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
        return client

    return sign_in


@pytest.fixture
def alice(signed_in: SignIn) -> APIClient:
    """Return Alice's client."""
    return signed_in("alice")


@pytest.fixture
def note_of_alice(demo_users: None) -> Note:
    """Return one of Alice's notes."""
    return Note.objects.filter(owner__username="alice").latest("pk")


@pytest.fixture
def note_of_bob(demo_users: None) -> Note:
    """Return Bob's note."""
    return Note.objects.get(owner__username="bob")


def test_a_list_holds_own_notes_only(alice: APIClient) -> None:
    """Alice sees each of her notes and none of Bob's."""
    answer = alice.get("/api/notes/")
    assert answer.status_code == 200
    assert {note["title"] for note in answer.json()} == set(NOTES["alice"])


def test_a_new_note_belongs_to_the_user_that_wrote_it(alice: APIClient) -> None:
    """The owner is the user of the token, whatever the body claims."""
    answer = alice.post("/api/notes/", {"title": "New", "owner": "bob", "archived": True}, format="json")
    assert answer.status_code == 201
    note = Note.objects.get(pk=answer.json()["id"])
    assert (note.owner.username, note.archived) == ("alice", False)


def test_an_own_note_can_be_read_changed_and_deleted(alice: APIClient, note_of_alice: Note) -> None:
    """The viewset does all that a ``ModelViewSet`` does."""
    url = f"/api/notes/{note_of_alice.pk}/"
    assert alice.patch(url, {"title": "Changed"}, format="json").json()["title"] == "Changed"
    assert alice.put(url, {"title": "Put", "body": "Whole"}, format="json").json()["body"] == "Whole"
    assert alice.get(url).json()["title"] == "Put"
    assert alice.delete(url).status_code == 204
    assert alice.get(url).status_code == 404


@pytest.mark.parametrize(
    ("method", "suffix"),
    [("get", ""), ("put", ""), ("patch", ""), ("delete", ""), ("post", "archive/")],
)
def test_another_users_note_is_a_404(alice: APIClient, note_of_bob: Note, method: str, suffix: str) -> None:
    """Bob's note looks to Alice like one that never was, and stays as it is."""
    theirs = getattr(alice, method)(f"/api/notes/{note_of_bob.pk}/{suffix}", {"title": "Mine"}, format="json")
    nobodys = getattr(alice, method)(f"/api/notes/{note_of_bob.pk + 1000}/{suffix}", {"title": "Mine"}, format="json")
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    unchanged = Note.objects.get(pk=note_of_bob.pk)
    assert (unchanged.title, unchanged.archived) == (note_of_bob.title, False)


@pytest.mark.parametrize("pk", ["0", "9" * 30, "9" * 5000])
def test_a_note_number_that_cannot_be_is_a_404(alice: APIClient, pk: str) -> None:
    """No number in the path makes the server fail."""
    assert alice.get(f"/api/notes/{pk}/").status_code == 404


def test_an_archived_note_moves_from_one_list_to_the_other(alice: APIClient, note_of_alice: Note) -> None:
    """The extra actions of the viewset, one on a note and one on the list."""
    assert alice.post(f"/api/notes/{note_of_alice.pk}/archive/").json()["archived"] is True
    assert [note["id"] for note in alice.get("/api/notes/archived/").json()] == [note_of_alice.pk]
    assert note_of_alice.pk not in {note["id"] for note in alice.get("/api/notes/").json()}
    assert alice.get(f"/api/notes/{note_of_alice.pk}/").status_code == 200


def test_archived_notes_of_others_are_not_listed(alice: APIClient, note_of_bob: Note) -> None:
    """The list action is filtered by owner like the rest."""
    Note.objects.filter(pk=note_of_bob.pk).update(archived=True)
    assert alice.get("/api/notes/archived/").json() == []


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 201}, {"title": "a\0b"}, {"title": None}])
def test_a_note_without_a_fitting_title_is_a_400(alice: APIClient, body: dict[str, str]) -> None:
    """The answer names the field."""
    answer = alice.post("/api/notes/", body, format="json")
    assert answer.status_code == 400
    assert "title" in answer.json()


def test_me_is_the_user_of_the_token(signed_in: SignIn) -> None:
    """A bare ``APIView`` gets the user from the token."""
    assert signed_in("bob").get("/api/me/").json()["username"] == "bob"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/notes/"),
        ("post", "/api/notes/"),
        ("get", "/api/notes/1/"),
        ("put", "/api/notes/1/"),
        ("patch", "/api/notes/1/"),
        ("delete", "/api/notes/1/"),
        ("post", "/api/notes/1/archive/"),
        ("get", "/api/notes/archived/"),
        ("get", "/api/me/"),
        ("get", "/api/sessions/"),
        ("delete", "/api/sessions/"),
    ],
)
def test_without_a_token_the_answer_is_403(client: APIClient, method: str, path: str) -> None:
    """US3 and FR-005: nothing was sent, so 403 with code ``not_authenticated`` and no challenge."""
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")
    assert "WWW-Authenticate" not in answer


def test_the_public_endpoint_is_open(client: APIClient) -> None:
    """``@public`` below ``@api_view`` is the one way out (law 7)."""
    answer = client.get("/api/status/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_an_expired_token_is_refused_in_clear_words(client: APIClient, demo_users: None) -> None:
    """SC-003: the token that ``expired_token`` prints is a 401 that says why."""
    printed = StringIO()
    call_command("expired_token", "alice", stdout=printed)
    answer = client.get("/api/notes/", headers={"Authorization": f"Bearer {printed.getvalue().strip()}"})
    assert (answer.status_code, answer.json()["reason"]) == (401, "expired")
    assert "expired" in answer.json()["detail"].lower()


def test_signing_out_everywhere_ends_the_token_at_once(alice: APIClient) -> None:
    """The page's last button: the next request with the same access token is refused (law 4)."""
    assert alice.delete("/api/sessions/").status_code == 204
    assert alice.get("/api/notes/").json()["reason"] == "revoked"
