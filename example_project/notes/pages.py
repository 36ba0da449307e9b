"""The demo's page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from notes.demo import PASSWORDS

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class DemoPage(TemplateView):
    """Serve a page that signs in and works with the API, and that may load nothing from elsewhere."""

    template_name = "notes/demo.html"
    extra_context = {"passwords": PASSWORDS}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page under a strict content security policy."""
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response
