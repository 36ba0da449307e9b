#!/usr/bin/env python
"""Run Django's commands on the example project."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command that the command line names."""
    settings = "example.second_factor" if "--second-factor" in sys.argv else "example.settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
