"""The error of a user of the command line."""


class OperationError(Exception):
    """What was asked for can't be done; the text names the thing, its value and what to do."""
