"""Many small requests at a time, without holding all that is still to be asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

# At most this many requests at a time, hence connections of a client.
PARALLEL_REQUESTS = 16

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def mapped(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """The results of `function` in the items' order; at most 4 × PARALLEL_REQUESTS items are taken ahead."""
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 4 * PARALLEL_REQUESTS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
