"""Sessions in the admin: seen, found, ended; never made, changed or deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory

from drf_jwt_kit import sessions
from drf_jwt_kit.models import TokenSession

pytestmark = pytest.mark.django_db

LIST = "/admin/drf_jwt_kit/tokensession/"
REVOKE = "revoke_sessions"


@pytest.fixture
def pair(user: Any) -> sessions.TokenPair:
    """A session of alice's, from a known address."""
    return sessions.start(user, RequestFactory().get("/", REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Firefox"))


@pytest.fixture
def staff(db: None) -> Any:
    """A function that returns a client of a staff member with some of the model's permissions."""

    def staff(*codenames: str) -> Client:
        member = get_user_model().objects.create_user("staff", is_staff=True)
        member.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(member)
        return client

    return staff


def act(client: Client, *rows: TokenSession, action: str = REVOKE) -> Any:
    """Run an action of the list over some rows."""
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_the_list_shows_sessions_and_no_token(admin_client: Client, pair: Any) -> None:
    """Law 10: whose, when, where from; nothing that signs anybody in."""
    page = admin_client.get(LIST).text
    assert "alice" in page
    assert "192.0.2.7" in page
    detail = admin_client.get(f"{LIST}{pair.session.pk}/change/").text
    assert "Firefox" in detail
    for text in (page, detail):
        secrets = (str(pair.access), str(pair.refresh), pair.refresh["jti"], pair.session.credential_hash)
        assert not any(secret in text for secret in secrets)


def test_nothing_can_be_added_or_changed(admin_client: Client, pair: Any) -> None:
    """A session begins with a sign-in and follows its tokens."""
    assert admin_client.get(f"{LIST}add/").status_code == 403
    page = f"{LIST}{pair.session.pk}/change/"
    assert admin_client.post(page, {"generation": 7}).status_code == 403
    assert '<input type="submit"' not in admin_client.get(page).text
    pair.session.refresh_from_db()
    assert pair.session.generation == 0


def test_nothing_can_be_deleted(admin_client: Client, pair: Any) -> None:
    """Law 4: a row that is gone bars nothing: an adopted token would live again."""
    page = f"{LIST}{pair.session.pk}/delete/"
    assert page not in admin_client.get(f"{LIST}{pair.session.pk}/change/").text
    assert admin_client.post(page, {"post": "yes"}).status_code == 403
    act(admin_client, pair.session, action="delete_selected")
    assert TokenSession.objects.filter(pk=pair.session.pk).exists()


def test_a_user_can_be_deleted_with_the_sessions(admin_client: Client, user: Any, pair: Any) -> None:
    """The rows go with their user: that they cannot be deleted alone is in nobody's way."""
    answer = admin_client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not get_user_model().objects.filter(pk=user.pk).exists()
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize("where", ["delete", "changelist"])
def test_whoever_may_delete_users_may_delete_one_with_sessions(staff: Any, user: Any, pair: Any, where: str) -> None:
    """Deleted: the rows go with the user, and ask for no permission of their own."""
    client, users = staff("view_user", "delete_user"), "/admin/auth/user/"
    if where == "delete":
        answer = client.post(f"{users}{user.pk}/delete/", {"post": "yes"})
    else:
        answer = client.post(users, {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert answer.status_code == 302
    assert not get_user_model().objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize(
    ("query", "found"), [("alice", 1), ("ALI", 1), ("192.0.2", 1), ("bob", 0), ("", 1), ("o'hara", 0)]
)
def test_sessions_are_found_by_user_name_and_address(admin_client: Client, pair: Any, query: str, found: int) -> None:
    """What an operator has in hand when somebody calls."""
    assert len(admin_client.get(LIST, {"q": query}).context_data["cl"].result_list) == found


def test_a_search_passes_by_a_name_that_is_a_relation(rf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django takes a unique relation for a user's name, in which no text can be looked for."""
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "groups")
    assert site.get_model_admin(TokenSession).get_search_fields(rf.get("/")) == ("ip_address",)


@pytest.mark.parametrize(
    "query", ["revoke_reason=signed_out", "created_at__gte=2020-01-01+00%3A00%3A00%2B00%3A00", "o=-3", "p=1"]
)
def test_the_filters_work(admin_client: Client, pair: Any, query: str) -> None:
    """Each filter and order is a query that every database answers."""
    assert admin_client.get(f"{LIST}?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["credential_hash__startswith=a", "claims__icontains=a", "ip_address=x", "generation=x"]
)
def test_no_column_is_guessed_from_what_a_filter_finds(admin_client: Client, pair: Any, query: str) -> None:
    """Law 10: what the list does not show it does not tell, and no database is asked for an address that is none."""
    assert admin_client.get(f"{LIST}?{query}").status_code == 400


def test_a_link_may_lead_to_a_users_sessions(admin_client: Client, user: Any, pair: Any) -> None:
    """A project's user admin has one."""
    found = admin_client.get(LIST, {"user__id__exact": user.pk}).context_data["cl"].result_list
    assert [row.pk for row in found] == [pair.session.pk]


def test_the_list_costs_no_query_a_row(admin_client: Client, user: Any, django_assert_max_num_queries: Any) -> None:
    """With a hundred rows as with one."""
    for _ in range(30):
        sessions.start(user)
    with django_assert_max_num_queries(8):
        admin_client.get(LIST)


def test_the_action_ends_what_was_selected(admin_client: Client, user: Any, pair: Any) -> None:
    """With a reason of its own, and only what still lived is counted."""
    dead, other = sessions.start(user).session, sessions.start(user).session
    sessions.revoke(dead)
    answer = act(admin_client, pair.session, dead)
    assert "1 session was ended." in answer.text
    pair.session.refresh_from_db()
    assert pair.session.revoke_reason == "ended_by_admin"
    assert TokenSession.objects.get(pk=other.pk).revoked_at is None
    assert "1 session was ended." not in act(admin_client, pair.session).text


@pytest.mark.parametrize(
    ("permissions", "listed", "ended"),
    [
        (("view_tokensession", "delete_tokensession"), 200, True),
        (("view_tokensession",), 200, False),
        (("change_tokensession",), 200, False),
        (("add_tokensession",), 403, False),
        ((), 403, False),
    ],
    ids=["view and delete", "view", "change", "add", "none"],
)
def test_permissions_decide_who_sees_and_ends(
    staff: Any, pair: Any, permissions: tuple[str, ...], listed: int, ended: bool
) -> None:
    """Who may look may not therefore end."""
    client = staff(*permissions)
    assert client.get(LIST).status_code == listed
    act(client, pair.session)
    pair.session.refresh_from_db()
    assert (pair.session.revoked_at is not None) is ended
