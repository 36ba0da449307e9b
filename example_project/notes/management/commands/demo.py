"""``manage.py demo``."""

import shlex
import sys
from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from notes.demo import PASSWORDS

HOST = "127.0.0.1"

WALK = """\
# Paste into another terminal, one step at a time.

API={api}
show() {{ curl -si "$@"; echo; }}
field() {{ {python} -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}

# 1. Open to everybody, because the view says @public.
show $API/status/

# 2. Without a token: 403, not_authenticated.
show $API/notes/

# 3. Sign in.
PAIR=$(curl -s $API/token/ -H 'Content-Type: application/json' \\
  -d '{{"username": "alice", "password": "{password}"}}')
ACCESS=$(echo "$PAIR" | field access)
REFRESH=$(echo "$PAIR" | field refresh)

# 4. With the token: 200, Alice's notes.
show $API/notes/ -H "Authorization: Bearer $ACCESS"

# 5. With an expired token (manage.py expired_token alice): 401, and it says so.
EXPIRED={expired}
show $API/notes/ -H "Authorization: Bearer $EXPIRED"

# 6. Refresh: a new access token, and the next refresh token.
PAIR=$(curl -s $API/token/refresh/ -H 'Content-Type: application/json' -d "{{\\"refresh\\": \\"$REFRESH\\"}}")
ACCESS=$(echo "$PAIR" | field access)
REFRESH=$(echo "$PAIR" | field refresh)

# 7. Verify: 200 if the token would be accepted right now.
show $API/token/verify/ -H 'Content-Type: application/json' -d "{{\\"token\\": \\"$ACCESS\\"}}"

# 8. Where Alice is signed in.
show $API/sessions/ -H "Authorization: Bearer $ACCESS"

# 9. Sign out. The access token is dead at once: 401, revoked.
show $API/token/revoke/ -H 'Content-Type: application/json' -d "{{\\"token\\": \\"$REFRESH\\"}}"
show $API/notes/ -H "Authorization: Bearer $ACCESS"
"""


class Command(BaseCommand):
    """Set the example project up, say what to try, and serve it."""

    help = "Migrate, make the demo's users and notes, print what to try, and serve on a loopback address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a port, and whether to serve at all."""
        parser.add_argument("--port", type=int, default=8000, help="the port to serve on (default: 8000)")
        parser.add_argument("--no-serve", action="store_true", help="set up and print, then stop")
        parser.add_argument("--second-factor", action="store_true", help="ask alice for a code (needs django-otp)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set up, print and serve."""
        call_command("migrate", interactive=False, verbosity=options["verbosity"] - 1, stdout=self.stdout)
        self.stdout.write("The database is ready.\n\nUsers of the demo:\n")
        call_command("seed_demo", stdout=self.stdout)
        self.stdout.write(f"\nIn a browser: http://{HOST}:{options['port']}/\n")
        api = f"http://{HOST}:{options['port']}/api"
        if options["second_factor"]:
            call_command("demo_second_factor", api, stdout=self.stdout)
        else:
            self._print_walk(api)
        if not options["no_serve"]:
            call_command("runserver", f"{HOST}:{options['port']}", use_reloader=False)

    def _print_walk(self, api: str) -> None:
        """Print what to try with curl."""
        self.stdout.write("\nWith curl:\n\n")
        walk = WALK.format(
            api=api,
            python=shlex.quote(sys.executable),
            password=PASSWORDS["alice"],
            expired=_expired_token("alice"),
        )
        self.stdout.write(walk)


def _expired_token(username: str) -> str:
    """Return what ``expired_token`` prints."""
    printed = StringIO()
    call_command("expired_token", username, stdout=printed)
    return printed.getvalue().strip()
