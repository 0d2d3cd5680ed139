"""`python -m tests.storms`: many histories of the whole, each from its seed; ends with 1 if one violated a promise."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import NamedTuple

# It makes the credentials up, and has to be first.
import tests.conftest  # noqa: F401
from tests.simulation import rest
from tests.storms import watch
from tests.storms.history import History, play
from tests.storms.mutations import MUTATIONS, find
from tests.storms.shrinking import shrink

PAID_TWICE = {rest.PAID, rest.TRANSCRIBED, rest.GENERATED, rest.NEWCOMERS}
LEAKED = {rest.CONSENT, rest.FORGOTTEN, watch.LEAKED, watch.TAKEN}
# Of each kind of violation, so many stories are told.
STORIES = 3
AT_A_TIME = 200


class Played(NamedTuple):
    """Of some histories; `violating` has the seeds by the kind that they violated."""

    histories: int
    faults: int
    presses: int
    most_presses: int
    violating: dict[str, list[int]]


def play_some(seeds: range) -> Played:
    faults = presses = most = 0
    violating: dict[str, list[int]] = {}
    for seed in seeds:
        history = play(seed)
        faults, presses = faults + len(history.faults), presses + history.presses
        most = max(most, history.presses_in_calm)
        for kind in {violation.kind for violation in history.violations}:
            violating.setdefault(kind, []).append(seed)
    return Played(len(seeds), faults, presses, most, violating)


def parts(first: int, number: int) -> Iterator[range]:
    for begin in range(first, first + number, AT_A_TIME):
        yield range(begin, min(begin + AT_A_TIME, first + number))


def told(history: History) -> str:
    deeds = "\n".join(f"  {deed}" for deed in history.deeds)
    violations = "\n".join(f"  {violation}" for violation in history.violations)
    return f"{history.log}\n\nwhat people did:\n{deeds}\n\nwhat is wrong:\n{violations}"


def story(seed: int) -> int:
    history = play(seed)
    if not history.violations:
        print(told(history).removesuffix("what is wrong:\n") + "nothing is wrong")
        return 0
    shrunk = shrink(history)
    print(told(shrunk.history), f"\n{shrunk.code}", sep="\n")
    return 1


def look_for_mutations(most: int, first: int, processes: int) -> int:
    missed = 0
    with ProcessPoolExecutor(processes) as pool:
        for future in as_completed([pool.submit(find, mutation, most, first) for mutation in MUTATIONS]):
            found = future.result()
            missed += found.seed is None
            where = f"{found.kind} in seed {found.seed}" if found.seed is not None else f"NOT FOUND in {most}"
            print(f"{found.seconds:7.1f} s  {found.mutation}: {where}", flush=True)
    print(f"mutations: {len(MUTATIONS)} planted, {missed} not found in {most} histories each")
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.storms", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, metavar="N", help="so many histories")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one's seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--mutations", type=int, metavar="N", help="look for each planted fault in at most N histories")
    parser.add_argument("--seed", type=int, help="play one history, make it as short as possible, and tell it")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return story(arguments.seed)
    if arguments.mutations:
        return look_for_mutations(arguments.mutations, arguments.first, arguments.processes)
    begun = time.monotonic()
    histories = faults = presses = most = 0
    kinds: Counter[str] = Counter()
    with ProcessPoolExecutor(arguments.processes) as pool:
        running = [pool.submit(play_some, seeds) for seeds in parts(arguments.first, arguments.seeds)]
        for future in as_completed(running):
            played = future.result()
            histories, faults, presses = histories + played.histories, faults + played.faults, presses + played.presses
            most = max(most, played.most_presses)
            for kind, seeds in played.violating.items():
                for seed in seeds[: max(0, STORIES - kinds[kind])]:
                    print(f"{kind}: make storm SEED={seed}", flush=True)
                kinds[kind] += len(seeds)
            if histories % (AT_A_TIME * 25) == 0:
                rate = histories / (time.monotonic() - begun)
                print(f"{histories} histories, {rate:.0f} a second", flush=True)
    paid, leaked = (sum(kinds[kind] for kind in group) for group in (PAID_TWICE, LEAKED))
    seconds = time.monotonic() - begun
    print(f"{histories / seconds:.1f} histories a second in {arguments.processes} processes; at most {most} presses")
    print(
        f"storm: {histories} histories, {faults} faults, {presses} presses, {kinds.total() - paid - leaked} lost, "
        f"{paid} paid twice, {leaked} leaked"
    )
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
