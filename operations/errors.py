"""The error that the command line reports to its user."""


class OperationError(Exception):
    """The operation can't be carried out; the text names the thing, its value and what to do."""
