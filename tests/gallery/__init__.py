"""A project of many kinds of views, for what looks at all of them."""
