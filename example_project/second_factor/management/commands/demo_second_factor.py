"""``manage.py demo_second_factor``."""

import shlex
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from notes.demo import PASSWORDS
from second_factor.devices import code_of, device_of

WALK = """\
# Paste into another terminal, one step at a time.

API={api}
show() {{ curl -si "$@"; echo; }}
field() {{ {python} -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}
JSON='Content-Type: application/json'

# 1. Bob has no second factor: his password is enough.
BOB=$(curl -s $API/token/ -H "$JSON" -d '{{"username": "bob", "password": "{bob}"}}' | field access)
show $API/notes/ -H "Authorization: Bearer $BOB"

# 2. All notes at once are for who has one: 401, insufficient_user_authentication.
show $API/export/ -H "Authorization: Bearer $BOB"

# 3. Alice has one. Her password alone: 401, second_factor_required.
show $API/token/ -H "$JSON" -d '{{"username": "alice", "password": "{alice}"}}'

# 4. With the code that her app shows now: 200, all her notes.
CODE=$({python} {manage} otp_code alice --settings {settings})
SIGN_IN="{{\\"username\\": \\"alice\\", \\"password\\": \\"{alice}\\", \\"otp\\": \\"$CODE\\"}}"
ALICE=$(curl -s $API/token/ -H "$JSON" -d "$SIGN_IN" | field access)
show $API/export/ -H "Authorization: Bearer $ALICE"

# 5. A code is good once: 401, second_factor_invalid.
show $API/token/ -H "$JSON" -d "$SIGN_IN"
"""


class Command(BaseCommand):
    """Give a user of the demo a second factor, and say what to try."""

    help = "Give alice an authenticator app, and print its key, its code and what to try."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address of the API."""
        parser.add_argument("api")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the device and print."""
        device = device_of(get_user_model().objects.get_by_natural_key("alice"))
        self.stdout.write(f"\nalice, for an authenticator app: {device.config_url}")
        self.stdout.write(f"alice, the code that it shows now: {code_of(device)}\n\nWith curl:\n\n")
        self.stdout.write(
            WALK.format(
                api=options["api"],
                python=shlex.quote(sys.executable),
                manage=shlex.quote(str(Path(settings.BASE_DIR, "manage.py"))),
                settings=settings.SETTINGS_MODULE,
                **PASSWORDS,
            )
        )
