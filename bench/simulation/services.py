"""The services' limits that matter for a drop of recordings."""

from collections import Counter

from bench.simulation.clock import Clock, Steps
from bench.simulation.definition import TaskError


class Usage:
    """The use of each quota: calls in each second, and the most that ran at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # The second of the last call of each quota, and the calls in it.
        self._calls: dict[str, tuple[int, int]] = {}
        self._running: Counter[str] = Counter()
        self._buckets: dict[str, tuple[float, float]] = {}
        self.most: Counter[str] = Counter()

    def call(self, quota: str, times: int = 1) -> None:
        now = int(self._clock.now)
        second, calls = self._calls.get(quota, (now, 0))
        calls = times if second != now else calls + times
        self._calls[quota] = now, calls
        if calls > self.most[quota]:
            self.most[quota] = calls

    def draw(self, quota: str) -> None:
        """A call that takes a token from a bucket, which is refilled by one a second; missing tokens count as used."""
        seen, missing = self._buckets.get(quota, (self._clock.now, 0.0))
        missing = max(0.0, missing - (self._clock.now - seen)) + 1
        self._buckets[quota] = self._clock.now, missing
        self.most[quota] = max(self.most[quota], round(missing))

    def begin(self, quota: str) -> None:
        self._running[quota] += 1
        self.most[quota] = max(self.most[quota], self._running[quota])

    def end(self, quota: str) -> None:
        self._running[quota] -= 1


class Rate:
    """A token bucket that holds the calls of one second."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock, self._per_second = clock, per_second
        self._tokens, self._seen = per_second, clock.now

    def take(self) -> bool:
        self._tokens = min(self._per_second, self._tokens + (self._clock.now - self._seen) * self._per_second)
        self._seen = self._clock.now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Jobs:
    """A service's jobs, by id, with limits for starts a second, jobs at a time, and polls a second.

    All limits give the same error, which the SDK doesn't retry.
    """

    def __init__(
        self, clock: Clock, usage: Usage, start: str, ask: str, quotas: dict[str, float], most: int, error: str
    ) -> None:
        self._clock, self._usage = clock, usage
        self._start, self._ask, self._most, self._error = start, ask, most, error
        self._rates = {name: Rate(clock, quotas[name]) for name in (start, ask)}
        self._running = 0
        # When each job ends; a job that was seen to have ended is forgotten.
        self.ends: dict[str, float] = {}
        self.attempts = self.started = 0

    def start(self, job_id: str, seconds: float) -> None:
        """Raises TaskError when a limit is reached."""
        self.attempts += 1
        self._usage.call(self._start)
        if not self._rates[self._start].take() or self._running >= self._most:
            raise TaskError(self._error)
        self._running += 1
        self.started += 1
        self.ends[job_id] = self._clock.now + seconds
        self._clock.begin(self._run(seconds))

    def has_ended(self, job_id: str) -> bool:
        """Raises TaskError when the rate of polls is exceeded."""
        self._usage.call(self._ask)
        if not self._rates[self._ask].take():
            raise TaskError(self._error)
        ended = self.ends[job_id] <= self._clock.now
        if ended:
            del self.ends[job_id]
        return ended

    def _run(self, seconds: float) -> Steps:
        yield seconds
        self._running -= 1
