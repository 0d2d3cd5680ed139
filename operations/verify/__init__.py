"""`python -m operations verify`: checks an account, and an environment in it, against the points of docs/aws.md.

Each point that can be observed from outside is a `Check`. The checks of `preflight` need no stack; the others look at
the results of a rehearsal with two sample recordings.
"""
