"""The most recordings in a batch, which infra/environment.py and the planning of an execution hold to."""

# Each step over a whole batch, and its memory, stay within five minutes and 1 GiB (docs/performance.md, benchmark 19).
MAXIMUM_RECORDINGS = 5_000
