"""What ends an execution. The class name is what the Step Functions console shows as the error."""


class InvalidInput(Exception):
    """The execution's input can't be understood; a new execution with the right input is needed."""


class JobFailed(Exception):
    """A service's job failed for a reason that isn't the recording's; a redrive starts the next attempt."""


class JobDeadlineExceeded(Exception):
    """A service's job runs longer than any such job should; a redrive watches it for one more deadline."""


class CostCeilingExceeded(Exception):
    """Entity detection over the batch would cost more than the environment allows; it was not started."""


class TakenOver(Exception):
    """Recordings of this execution may have been taken over; the state machine goes back and prepares the others."""


class IncompleteOutput(Exception):
    """Objects that an earlier step or a service reported as written are not there."""


class InvalidSuppressionList(Exception):
    """Lines of the suppression list can't be read for certain; a redrive goes on when they are repaired."""
