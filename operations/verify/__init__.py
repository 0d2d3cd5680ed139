"""`python -m operations verify`: whether an account, and an environment in it, do what docs/aws.md relies on.

Each point of that page which can be seen from outside is a `Check`. Those of `preflight` need no stack; the others look
at what a rehearsal with two sample recordings has left behind.
"""
