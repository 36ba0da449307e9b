"""What the demo starts from: two users, known to everybody, and their notes."""

# Published here, so they protect nothing: for a demo on a loopback address only.
PASSWORDS = {"alice": "demo-password-of-alice", "bob": "demo-password-of-bob"}

NOTES = {
    "alice": {
        "Water the plants": "The fern twice.",
        "Call the dentist": "",
        "Read RFC 9700": "Section 4.14 is about refresh tokens.",
    },
    "bob": {
        "Bob's own note": "Alice gets a 404 for this one.",
    },
}
