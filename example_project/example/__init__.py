"""The example project: settings and URLs around the notes app."""
