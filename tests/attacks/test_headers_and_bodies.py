"""THREATS "Headers and bodies": whatever is sent, the answer is JSON and means no."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.models import TokenSession
from tests import urls as project
from tests.attacks import forge
from tests.attacks.conftest import is_json
from tests.attacks.wire import BODY_DOORS, on_the_wire
from tests.conftest import PASSWORD, Tokens, bearer

pytestmark = pytest.mark.django_db

OBTAIN = "/api/token/"
DOORS = {"obtain": OBTAIN, **{door: where for door, (where, _field) in BODY_DOORS.items()}}
UNKNOWN_SESSION = "/api/sessions/00000000-0000-7000-8000-000000000000/"
SESSION_PATHS = ("/api/sessions/", "/api/sessions/others/", UNKNOWN_SESSION)


class OpenView(APIView):
    """A view for anyone, with the JWT authenticator."""

    authentication_classes = (JWTAuthentication,)
    permission_classes = ()

    def get(self, request: Request) -> Response:
        """Say who asks."""
        return Response({"user": str(request.user)})


urlpatterns = [*project.urlpatterns, path("open/", OpenView.as_view())]


@pytest.fixture
def _open_view() -> Iterator[None]:
    """Serve the open view too."""
    with override_settings(ROOT_URLCONF=__name__):
        yield


def answers_safely(answer: Any, *statuses: int) -> None:
    """Assert status and shape of an answer of the kit's."""
    assert answer.status_code in statuses, (answer.status_code, answer.content[:300])
    assert answer["Cache-Control"] == "no-store"
    assert is_json(answer)


# -- Authorization ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.usefixtures("_open_view")
def test_the_scheme_has_no_case(client: Any, tokens: Tokens, scheme: str) -> None:
    """RFC 9110 11.1: a good token opens, a bad one is a 401 on a public view too."""
    for where in ("/api/me/", "/open/"):
        good = client.get(where, HTTP_AUTHORIZATION=f"{scheme} {tokens.access}")
        bad = client.get(where, HTTP_AUTHORIZATION=f"{scheme} {tokens.access}x")
        assert (good.status_code, bad.status_code) == (200, 401)
        assert bad.json()["code"] == "token_not_valid"


MALFORMED = {
    "scheme alone": "Bearer",
    "scheme and a space": "Bearer ",
    "scheme and spaces": "Bearer" + " " * 5000,
    "three parts": "Bearer {access} {access}",
    "colon": "Bearer: {access}",
    "equals": "Bearer={access}",
    "parameters": 'Bearer token="{access}"',
    "quoted": 'Bearer "{access}"',
    "two headers": "Bearer {access}, Bearer {access}",
    "two headers joined": "Bearer {access},Bearer {access}",
    "twice the scheme": "Bearer Bearer {access}",
    "line": "Bearer {access}\nBearer {access}",
    "NUL": "Bearer {access}\0",
    "form feed": "Bearer\x0c{access}",
    "vertical tab": "Bearer\x0b{access}",
    "non-breaking space": "Bearer\u00a0{access}",
    "token of 8 KB": "Bearer " + "a" * 8192,
    "token of 64 KB": "Bearer " + "a" * 65536,
    "64 KB of dots": "Bearer " + "." * 65536,
    "64 KB of spaces": "Bearer " + " " * 65536 + "x",
    "64 KB of words": "Bearer " + "a " * 32768,
    "bytes": "Bearer \xff\xfe",
    "emoji": "Bearer 🎫",
    "scheme with bytes": "\xffBearer {access}",
    "bytes alone": "\xff",
    "quotes": '"Bearer {access}"',
    "comma": ", Bearer {access}",
    "BOM": "\ufeffBearer {access}",
    "full-width scheme": "\uff22earer {access}",
}


@pytest.mark.parametrize("template", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.usefixtures("_open_view")
def test_a_malformed_header_is_refused(client: Any, tokens: Tokens, template: str) -> None:
    """THREATS: credentials that were sent and cannot be read are a 401 with a challenge, everywhere."""
    header = on_the_wire(template.format(access=tokens.access))
    for where in ("/api/me/", "/api/sessions/", "/open/"):
        answer = client.get(where, HTTP_AUTHORIZATION=header)
        assert answer.status_code == 401, (where, answer.content)
        assert is_json(answer)
        assert answer.json()["code"] in {"bad_authorization_header", "token_not_valid"}
        assert answer["WWW-Authenticate"].isascii()
        assert answer["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token"')


OTHER_SCHEMES = {
    "basic": "Basic YWxpY2U6cGFzc3dvcmQ=",
    "token": "Token {access}",
    "JWT": "JWT {access}",
    "digest": 'Digest username="alice"',
    "DPoP": "DPoP {access}",
    "no scheme": "{access}",
    "a word": "undefined",
    "no space": "Bearer{access}",
    "dot": "Bearer.{access}",
    "longer": "Bearerx {access}",
}


@pytest.mark.parametrize("template", OTHER_SCHEMES.values(), ids=OTHER_SCHEMES)
@pytest.mark.usefixtures("_open_view")
def test_another_scheme_is_no_credentials(client: Any, tokens: Tokens, template: str) -> None:
    """THREATS: Basic, Token, no scheme: nobody is signed in, and the view's permissions decide."""
    header = template.format(access=tokens.access)
    answer = client.get("/api/me/", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")
    assert "WWW-Authenticate" not in answer
    assert client.get("/open/", HTTP_AUTHORIZATION=header).json() == {"user": "AnonymousUser"}


@pytest.mark.parametrize("header", ["", " ", "\t", "   "], ids=forge.label)
def test_an_empty_header_is_no_credentials(client: Any, user: Any, header: str) -> None:
    """DESIGN 2.2: nothing was sent."""
    answer = client.get("/api/me/", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")


ELSEWHERE = {
    "query access_token": {"path": "/api/me/?access_token={access}"},
    "query token": {"path": "/api/me/?token={access}&jwt={access}&Authorization=Bearer%20{access}"},
    "form": {"path": "/api/me/", "CONTENT_TYPE": "application/x-www-form-urlencoded", "body": "access_token={access}"},
    "JSON": {"path": "/api/me/", "CONTENT_TYPE": "application/json", "body": '{{"access_token": "{access}"}}'},
    "cookie": {"path": "/api/me/", "HTTP_COOKIE": "access={access}; access_token={access}; Authorization={access}"},
    "X-Authorization": {"path": "/api/me/", "HTTP_X_AUTHORIZATION": "Bearer {access}"},
    "X-Access-Token": {"path": "/api/me/", "HTTP_X_ACCESS_TOKEN": "{access}"},
    "Proxy-Authorization": {"path": "/api/me/", "HTTP_PROXY_AUTHORIZATION": "Bearer {access}"},
    "X-Forwarded-Authorization": {"path": "/api/me/", "HTTP_X_FORWARDED_AUTHORIZATION": "Bearer {access}"},
    "Remote-User": {"path": "/api/me/", "HTTP_REMOTE_USER": "alice"},
    "WebSocket protocol": {"path": "/api/me/", "HTTP_SEC_WEBSOCKET_PROTOCOL": "Bearer, {access}"},
}


@pytest.mark.parametrize("sent", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_token_elsewhere_is_ignored(client: Any, tokens: Tokens, sent: dict[str, str]) -> None:
    """THREATS: a token counts in the ``Authorization`` header and nowhere else."""
    filled = {name: value.format(access=tokens.access) for name, value in sent.items()}
    where, body = filled.pop("path"), filled.pop("body", "")
    answer = client.generic("GET", where, body, filled.pop("CONTENT_TYPE", ""), **filled)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_token_in_a_body_is_ignored(client: Any, tokens: Tokens, method: str, kind: str) -> None:
    """THREATS, RFC 6750 2.2: a token in a form opens nothing, whatever is asked for."""
    for field in ("access_token", "token", "access", "Authorization"):
        answer = client.generic(method, "/api/notes/", f"{field}={tokens.access}&text=x", kind)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")


CREDENTIALS: dict[str, dict[str, Any]] = {
    "query": {"QUERY_STRING": "username=alice&password={password}&refresh={refresh}&token={refresh}"},
    "cookies": {"HTTP_COOKIE": "username=alice; password={password}; refresh={refresh}; token={refresh}"},
    "Basic": {"HTTP_AUTHORIZATION": f"Basic {b64encode(f'alice:{PASSWORD}'.encode()).decode()}"},
    "Bearer": {"HTTP_AUTHORIZATION": "Bearer {refresh}"},
    "headers": {"HTTP_USERNAME": "alice", "HTTP_PASSWORD": "{password}", "HTTP_REFRESH": "{refresh}"},
    "Remote-User": {"HTTP_REMOTE_USER": "alice", "HTTP_X_REMOTE_USER": "alice", "HTTP_X_FORWARDED_USER": "alice"},
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("sent", CREDENTIALS.values(), ids=CREDENTIALS)
def test_credentials_elsewhere_than_in_the_body_are_ignored(
    client: Any, tokens: Tokens, door: str, sent: dict[str, str]
) -> None:
    """THREATS: the token endpoints read their body and nothing else: 400, and nothing happened."""
    filled = {name: value.format(password=quote(PASSWORD), refresh=tokens.refresh) for name, value in sent.items()}
    answers_safely(client.generic("POST", DOORS[door], b"{}", "application/json", **filled), 400)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
    assert TokenSession.objects.count() == 1


NOISE = [
    {"HTTP_AUTHORIZATION": "Bearer"},
    {"HTTP_AUTHORIZATION": "Bearer garbage"},
    {"HTTP_AUTHORIZATION": "Bearer a.b.c"},
    {"HTTP_AUTHORIZATION": "\xff\xfe"},
    {"HTTP_AUTHORIZATION": "Basic YWxpY2U6d3Jvbmc="},
    {"HTTP_COOKIE": "sessionid=stale; refresh=stale; csrftoken=x"},
    {"HTTP_COOKIE": "\xff=\xff;;;=; sessionid=" + "x" * 4096},
    {"HTTP_REFERER": "\xff", "HTTP_ORIGIN": "null"},
    {"HTTP_ACCEPT": "text/html"},
    {"HTTP_ACCEPT": "image/png;q=x, */*;q=0"},
    {"HTTP_ACCEPT": "application/json; indent=100000000"},
    {"HTTP_ACCEPT_LANGUAGE": "xx-" + "y" * 600},
    {"HTTP_ACCEPT_CHARSET": "utf-7"},
    {"HTTP_USER_AGENT": "\xff\0\x1b[31m" + "x" * 60_000},
    {"HTTP_X_FORWARDED_FOR": "\xff, ' OR 1=1 --, ::1%\0"},
    {"REMOTE_ADDR": ""},
    {"REMOTE_ADDR": "fe80::1%" + "x" * 500},
    {"HTTP_EXPECT": "100-continue"},
    {"HTTP_RANGE": "bytes=0-1"},
    {"HTTP_IF_NONE_MATCH": "*"},
    {"HTTP_IF_MODIFIED_SINCE": "x"},
    {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
    {"HTTP_CONTENT_ENCODING": "gzip"},
    {"QUERY_STRING": "format=html&_method=DELETE&indent=9"},
    {"QUERY_STRING": "format=%00&x=%ff"},
]


@pytest.mark.parametrize("noise", NOISE, ids=lambda noise: ascii(next(iter(noise.items())))[:50])
def test_other_headers_change_nothing_at_the_token_endpoints(
    client: Any, post: Any, tokens: Tokens, noise: dict[str, str]
) -> None:
    """THREATS: a bad ``Authorization`` header, a stale cookie and other noise do not block sign-in and sign-out."""

    def send(where: str, **body: str) -> Any:
        answer = client.post(where, body, format="json", **noise)
        answers_safely(answer, 200)
        return answer.json()

    signed = send(OBTAIN, username="alice", password=PASSWORD)
    send(DOORS["verify"], token=signed["access"])
    send(DOORS["revoke"], token=send(DOORS["refresh"], refresh=signed["refresh"])["refresh"])
    send(DOORS["blacklist"], refresh=tokens.refresh)


# -- Bodies ----------------------------------------------------------------------------------------

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n\t",
    "empty object": b"{}",
    "empty list": b"[]",
    "list": b'[{"username": "alice"}]',
    "null": b"null",
    "text": b'"x"',
    "number": b"1",
    "float": b"1e400",
    "true": b"true",
    "NaN": b"NaN",
    "NaN inside": b'{"x": NaN}',
    "Infinity": b'{"x": -Infinity}',
    "broken": b'{"username": "alice", ',
    "half": b"{",
    "trailing comma": b'{"a": 1,}',
    "two values": b"{}{}",
    "comment": b"/**/{}",
    "single quotes": b"{'a': 'b'}",
    "bad UTF-8": b'{"username": "\xff\xfe", "password": "\xc3\x28", "token": "\xff", "refresh": "\xff"}',
    "overlong UTF-8": b'{"username": "\xc0\xaf", "password": "x"}',
    "surrogates in UTF-8": b'{"username": "\xed\xa0\x80", "password": "x"}',
    "UTF-16": '{"username": "alice", "password": "x"}'.encode("utf-16"),
    "UTF-32": '{"username": "alice", "password": "x"}'.encode("utf-32"),
    "BOM": '{"username": "alice", "password": "x"}'.encode("utf-8-sig"),
    "NUL": b"\0",
    "NULs": b"\0" * 1000,
    "digits": b'{"username": ' + b"1" * 5000 + b"}",
    "digits elsewhere": b'{"x": ' + b"1" * 100_000 + b"}",
    "10 000 deep": b"[" * 10_000 + b"]" * 10_000,
    "100 000 deep": b"[" * 100_000 + b"]" * 100_000,
    "100 000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep in a field": b'{"username": ' + b"[" * 50_000 + b"]" * 50_000 + b', "password": "x"}',
    "half of it deep": b"[" * 500_000,
    "form": b"username=alice&password=x&token=x&refresh=x",
    "multipart": b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\nalice\r\n--x--\r\n',
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "pickle": b"\x80\x04N.",
    "YAML": b"username: alice\npassword: x\n",
    "prototype": b'{"__proto__": {"username": "alice"}, "constructor": 1}',
    "empty keys": b'{"": "", " ": ""}',
    "fields in another case": b'{"Username": "alice", "PASSWORD": "x", "Token": "x", "REFRESH": "x"}',
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_odd_body_is_a_400(client: Any, user: Any, body: bytes, door: str) -> None:
    """THREATS: whatever is no JSON object with the right fields: 400 in JSON at every endpoint."""
    answer = client.generic("POST", DOORS[door], body, "application/json")
    answers_safely(answer, 400)


UNREAD = [("GET", SESSION_PATHS[0], 200), ("DELETE", SESSION_PATHS[1], 204), ("DELETE", UNKNOWN_SESSION, 404)]


@pytest.mark.parametrize(("method", "where", "status"), UNREAD)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_session_endpoints_read_no_body(
    client: Any, tokens: Tokens, body: bytes, method: str, where: str, status: int
) -> None:
    """THREATS: every kit endpoint: what nobody reads, however deep or broken, changes and breaks nothing."""
    for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\xff"):
        answer = client.generic(method, where, body, kind, **bearer(tokens.access))
        assert answer.status_code == status
        assert answer["Cache-Control"] == "no-store"
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200


@pytest.mark.parametrize("depth", [*range(700, 1000, 20), 5_000, 20_000, 150_000])
def test_no_depth_of_a_body_breaks_an_endpoint(client: Any, user: Any, depth: int) -> None:
    """THREATS: bodies around Python's limit, beside good fields and instead of them."""
    deep = "[" * depth + "]" * depth
    for body in (deep, f'{{"username": {deep}, "password": {deep}, "token": {deep}, "refresh": {deep}}}'):
        for where in DOORS.values():
            answers_safely(client.generic("POST", where, body, "application/json"), 400)
    good = f'{{"username": "alice", "password": "{PASSWORD}", "more": {deep}}}'
    answers_safely(client.generic("POST", OBTAIN, good, "application/json"), 200, 400)


FIELDS = [(OBTAIN, "username"), (OBTAIN, "password"), *BODY_DOORS.values()]
VALUES = [
    *("null", "true", "false", "0", "1", "-1", "1.5", "1e400", "12345678901234567890", "[]", '["x"]', "{}", '{"a": 1}'),
    *(
        '""',
        '"\\u0000"',
        '"a\\u0000b"',
        '"\\ud800"',
        '"\\udfff\\ud800"',
        '[["x"]]',
        '{"$ne": null}',
        '"' + "x" * 9_000_00 + '"',
    ),
]


@pytest.mark.parametrize(("where", "field"), FIELDS)
@pytest.mark.parametrize("text", VALUES, ids=forge.label)
def test_a_field_that_is_no_text_is_a_400(client: Any, user: Any, where: str, field: str, text: str) -> None:
    """THREATS: numbers and booleans are not turned into text; NUL and lone surrogates are none."""
    others = {"username": "alice", "password": PASSWORD} if where == OBTAIN else {}
    answer = client.generic("POST", where, forge.with_claim(others, field, text), "application/json")
    if len(text) > 1000 and where != OBTAIN:
        answers_safely(answer, 200, 400, 401)  # a long text is a text: no token, but no fault of form
    else:
        answers_safely(answer, 400)
        assert field in answer.json(), answer.json()


def test_a_missing_field_says_which(client: Any, user: Any) -> None:
    """DESIGN 2.1: 400 per field."""
    for where, field in FIELDS:
        answer = client.generic("POST", where, b'{"x": 1}', "application/json")
        assert field in answer.json(), (where, answer.json())


MEDIA_TYPES = [
    *(
        "",
        "text/plain",
        "text/html",
        "application/xml",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ),
    *("multipart/form-data; boundary=x", "multipart/form-data", "multipart/mixed; boundary=" + "x" * 5000),
    *(
        "application/jsonp",
        "application/json+x",
        "application/vnd.api+json",
        "application/ld+json",
        "text/json",
        "json",
    ),
    *("*/*", "application/*", "/", ";", "application", "\xff", "a" * 5000, "application/json, text/plain"),
    *("application/x-yaml", "application/cbor", "application/msgpack", "image/png", "application/jwt"),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("media_type", MEDIA_TYPES, ids=forge.label)
def test_another_content_type_is_refused(client: Any, tokens: Tokens, door: str, media_type: str) -> None:
    """THREATS: JSON only, and forms to revoke: 415 in JSON, and nothing happens."""
    fields = {"username": "alice", "password": PASSWORD, "refresh": tokens.refresh, "token": tokens.refresh}
    answer = client.generic("POST", DOORS[door], json.dumps(fields), media_type)
    answers_safely(answer, 400, 415)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
    assert TokenSession.objects.count() == 1


CHARSETS = [
    *("utf-16", "utf-32", "utf-7", "iso-8859-1", "ascii", "cp1252", "shift_jis", "unknown", "x" * 3000, "\xff"),
    *("hex", "base64", "rot13", "zlib", "bz2", "idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"),
    *("mbcs", "quopri", "uu", '"utf-8;"', "'", "utf_8_sig"),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("charset", CHARSETS, ids=forge.label)
def test_another_charset_is_refused(client: Any, user: Any, door: str, charset: str) -> None:
    """RFC 8259 8.1: JSON is UTF-8; another charset is a 415 and no decoder is tried."""
    answer = client.generic("POST", DOORS[door], b'{"x": 1}', f"application/json; charset={charset}")
    answers_safely(answer, 400, 415)


@pytest.mark.parametrize("charset", CHARSETS, ids=forge.label)
def test_a_form_in_another_charset_breaks_nothing(client: Any, tokens: Tokens, charset: str) -> None:
    """THREATS: Python knows codecs that are no charsets; a form that names one is no 500."""
    for body in (
        b"token=x",
        b"xn--=a&token=xn--%80",
        b"token=%ff%fe",
        f"token={tokens.refresh}".encode(),
        b"\xff\xfe=\xff",
        b"x=1",
    ):
        kind = f"application/x-www-form-urlencoded; charset={charset}"
        answers_safely(client.generic("POST", DOORS["revoke"], body, kind), 200, 400, 415)


def part(parameters: bytes, body: bytes = b"{refresh}", boundary: bytes = b"x") -> bytes:
    """Return one part of a multipart body."""
    return b"--" + boundary + b"\r\nContent-Disposition: form-data" + parameters + b"\r\n\r\n" + body + b"\r\n"


MULTIPARTS = {
    "good": part(b'; name="token"') + b"--x--\r\n",
    "without its end": part(b'; name="token"'),
    "cut": part(b'; name="token"')[:20],
    "of another boundary": part(b'; name="token"', boundary=b"y") + b"--y--\r\n",
    "of no name": part(b"") + b"--x--\r\n",
    "of bad base64": part(b'; name="token"\r\nContent-Transfer-Encoding: base64', b"!") + b"--x--\r\n",
    "of 1 100 fields": b"".join(part(b'; name="f%d"' % number, b"1") for number in range(1100)) + b"--x--\r\n",
    "of 200 files": part(b'; name="f"; filename="x"', b"1") * 200 + b"--x--\r\n",
    "of a path": part(b'; name="token"; filename="../../x"') + b"--x--\r\n",
    "bytes": b"\xff\x00" * 100,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("body", MULTIPARTS.values(), ids=MULTIPARTS)
@pytest.mark.parametrize("parameters", ["; boundary=x", "", "; boundary="])
def test_no_multipart_is_read(client: Any, tokens: Tokens, door: str, body: bytes, parameters: str) -> None:
    """THREATS: multipart, broken or not: 415 in JSON, and nobody is signed out."""
    filled, kind = body.replace(b"{refresh}", tokens.refresh.encode()), f"multipart/form-data{parameters}"
    answers_safely(client.generic("POST", DOORS[door], filled, kind), 415)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200


FORMS: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "garbage": (b"token=garbage", (200,)),
    "with a hint": (b"token=garbage&token_type_hint=refresh_token", (200,)),
    "with an unknown hint": (b"token=garbage&token_type_hint=%00", (200,)),
    "twice": (b"token=a&token=b", (200, 400)),
    "many fields": (b"&".join(b"f%d=1" % number for number in range(1100)), (400,)),
    "many fields and a token": (b"token=x&" + b"&".join(b"f%d=1" % number for number in range(1100)), (400,)),
    "missing": (b"x=1", (400,)),
    "nothing": (b"", (400,)),
    "empty": (b"token=", (400,)),
    "no value": (b"token", (400,)),
    "NUL": (b"token=%00", (400,)),
    "bad UTF-8": (b"token=%ff%fe", (200, 400)),
    "surrogates": (b"token=%ed%a0%80", (200, 400)),
    "raw bytes": (b"token=\xff\xfe", (200, 400)),
    "broken escapes": (b"token=%zz%&%=%", (200, 400)),
    "brackets": (b"token[]=x&token[0]=y", (400,)),
    "semicolons": (b"x=1;token=y", (400,)),
    "ampersands": (b"&" * 2000, (400,)),
    "JSON": (b'{"token": "x"}', (400,)),
}


@pytest.mark.parametrize(("body", "statuses"), FORMS.values(), ids=FORMS)
def test_an_odd_form_at_revoke(client: Any, tokens: Tokens, body: bytes, statuses: tuple[int, ...]) -> None:
    """THREATS: 1 100 fields, broken escapes, bytes: 200 or 400 in JSON, and nobody is signed out."""
    answer = client.generic("POST", DOORS["revoke"], body, "application/x-www-form-urlencoded")
    answers_safely(answer, *statuses)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_of_3_mb_is_not_read(client: Any, tokens: Tokens, door: str, kind: str) -> None:
    """THREATS: beyond ``DATA_UPLOAD_MAX_MEMORY_SIZE`` a body is refused, however right the rest of it is."""
    fields = {"username": "alice", "password": PASSWORD, "refresh": tokens.refresh, "token": tokens.refresh}
    padding = "x" * 3_000_000
    body = json.dumps({**fields, "more": padding}) if "json" in kind else f"token={tokens.refresh}&more={padding}"
    answer = client.generic("POST", DOORS[door], body, kind)
    answers_safely(answer, 413 if "json" in kind or door == "revoke" else 415)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200


@pytest.mark.parametrize(
    "length", ["", "-1", "abc", "0", "1e3", "99999999999999999999", "\xff", "1, 2"], ids=forge.label
)
@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_length_breaks_nothing(client: Any, user: Any, door: str, length: str) -> None:
    """THREATS: a ``Content-Length`` that is none."""
    answer = client.generic("POST", DOORS[door], b'{"x": 1}', "application/json", CONTENT_LENGTH=length)
    answers_safely(answer, 400, 413)


# -- Methods ---------------------------------------------------------------------------------------

METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "QUERY", "X", "__INIT__"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("door", DOORS)
def test_the_token_endpoints_take_posts_only(client: Any, tokens: Tokens, door: str, method: str) -> None:
    """THREATS: 405, no side effect, and nothing told of what is behind the door."""
    fields = {"username": "alice", "password": PASSWORD, "refresh": tokens.refresh, "token": tokens.refresh}
    answer = client.generic(method, DOORS[door], json.dumps(fields), "application/json")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert answer["Cache-Control"] == "no-store"
    if method != "HEAD":
        assert answer.json().keys() == {"detail", "code"}
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
    assert TokenSession.objects.count() == 1


@pytest.mark.parametrize("method", [method for method in METHODS if method not in {"GET", "HEAD", "DELETE"}] + ["POST"])
@pytest.mark.parametrize("where", SESSION_PATHS)
def test_the_session_endpoints_take_theirs_only(client: Any, tokens: Tokens, where: str, method: str) -> None:
    """THREATS: 405 with a token, 403 without, no side effect, no docstring."""
    for sent, status in (({}, 403), (bearer(tokens.access), 405)):
        answer = client.generic(method, where, b"{}", "application/json", **sent)
        assert answer.status_code == status
        assert answer.json().keys() == {"detail", "code"}
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200


@pytest.mark.parametrize("where", ["/api/sessions/others/", UNKNOWN_SESSION])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_can_only_be_deleted_cannot_be_read(client: Any, tokens: Tokens, where: str, method: str) -> None:
    """THREATS: 405."""
    assert client.generic(method, where, **bearer(tokens.access)).status_code == 405


OVERRIDES = [
    {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
    {"HTTP_X_HTTP_METHOD": "DELETE"},
    {"HTTP_X_METHOD_OVERRIDE": "DELETE"},
    {"HTTP_METHOD": "DELETE"},
    {"HTTP_X_ORIGINAL_METHOD": "DELETE"},
    {"QUERY_STRING": "_method=DELETE"},
    {"QUERY_STRING": "method=DELETE&X-HTTP-Method-Override=DELETE"},
]


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: ascii(next(iter(override.items()))))
def test_a_method_is_not_overridden(client: Any, tokens: Tokens, override: dict[str, str]) -> None:
    """THREATS: a header that asks for another method is ignored."""
    sent = {**bearer(tokens.access), **override}
    assert client.get("/api/sessions/", **sent).status_code == 200
    assert (
        client.generic(
            "POST", "/api/sessions/", b"_method=DELETE", "application/x-www-form-urlencoded", **sent
        ).status_code
        == 405
    )
    assert client.get("/api/sessions/", **bearer(tokens.access)).status_code == 200


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: ascii(next(iter(override.items()))))
@pytest.mark.parametrize("door", DOORS)
def test_a_get_is_not_turned_into_a_post(client: Any, tokens: Tokens, door: str, override: dict[str, str]) -> None:
    """THREATS: method override at the token endpoints: 405, nobody is signed in or out."""
    fields = {"username": "alice", "password": PASSWORD, "refresh": tokens.refresh, "token": tokens.refresh}
    meta = {name: value.replace("DELETE", "POST") for name, value in override.items()}
    answers_safely(client.generic("GET", DOORS[door], json.dumps(fields), "application/json", **meta), 405)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
    assert TokenSession.objects.count() == 1


# -- Paths -----------------------------------------------------------------------------------------

IDS = [
    *("x", "0", "1", "-1", "%00", "%0a", "%ff", "%ed%a0%80", "%2e%2e", "null", "' OR 1=1 --", "*", "[]", "🙂"),
    *(
        "0" * 32,
        "f" * 32,
        "f" * 33,
        "x" * 5000,
        "\u0660" * 32,
        "00000000-0000-0000-0000-00000000000",
        "urn:uuid:x",
        "{}",
    ),
]


@pytest.mark.parametrize("text", IDS, ids=forge.label)
def test_an_odd_session_id_is_not_found(client: Any, tokens: Tokens, text: str) -> None:
    """DESIGN 2.1: an unknown id is a 404 in JSON, whatever it looks like."""
    answer = client.delete(f"/api/sessions/{text}/", **bearer(tokens.access))
    answers_safely(answer, 404)
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
