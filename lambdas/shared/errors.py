"""The errors that end an execution. The Step Functions console shows the class name as the error."""


class InvalidInput(Exception):
    """The execution's input is invalid; start a new execution with a corrected input."""


class JobFailed(Exception):
    """A service's job failed for a reason that isn't the recording's; a redrive starts the next attempt."""


class JobDeadlineExceeded(Exception):
    """A service's job has exceeded its deadline; a redrive watches it for one more deadline."""


class CostCeilingExceeded(Exception):
    """The batch would cost more than the environment's ceiling; PlanBatch or entity detection starts no job."""


class DayCeilingReached(Exception):
    """The day has too little money left for the batch; the state machine retries until a day has enough."""


class TakenOver(Exception):
    """Other executions may have taken recordings over; the state machine prepares the remaining ones again."""


class IncompleteOutput(Exception):
    """Objects that an earlier step or a service reported as written are not there."""


class InvalidSuppressionList(Exception):
    """Lines of the suppression list are ambiguous or unreadable; repair them, then redrive."""
