"""S: claims, coverage and consent are S3 objects, each changed only under If-Match (or If-None-Match).

`claims/<transcript>` (execution, jobs inherited), `commits/<execution>` (jobs committed; changed by whoever takes
recordings over), `objects/<object>` (newest version planned, its consent, how many were planned), and the records,
whose metadata say of which version and by whom they are. Orders stand for transactions.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

from tests.models.entity_jobs import Contents, ensure_running, name_of, outputs_of, uncovered
from tests.models.parts import Records, Refused, State, Step, TakenOver
from tests.models.world import World

CONDITIONS = (
    "coverage committed in one object",
    "a taker changes the commit object",
    "status read after the claim",
    "a redriven execution changes its claims",
    "coverage committed before the start",
    "coverage committed under If-Match",
    "coverage inherited",
    "planned version written as read",
    "planned version written each time",
    "records' head read before the object",
    "records' author read",
    "version checked before the records",
    "output looked for",
    "name tells what was tried",
)


class Claim(NamedTuple):
    """`claims/<transcript>`."""

    execution: str
    jobs: frozenset[str] = frozenset()


class Planned(NamedTuple):
    """`objects/<object>`."""

    version: str = ""
    consent: bool = False
    order: int = 0


class Stored(NamedTuple):
    """An object as it was read: ETag 0 stands for none."""

    etag: int
    body: Any


class ClaimsOnS3:
    """The protocol, less the conditions named by `without`."""

    def __init__(self, world: World, without: Collection[str] = ()) -> None:
        assert set(without) <= set(CONDITIONS)
        self._world, self._without = world, without
        self._objects: dict[str, Stored] = {}
        self._etags = 0
        self._contents: Contents = {}

    def _get(self, key: str, none: Any = None) -> Callable[[], Stored]:
        return lambda: self._objects.get(key, Stored(0, none))

    def _put(
        self, key: str, body: Any, seen: Stored | None, also: Callable[[], None] = lambda: None
    ) -> Callable[[], Stored]:
        """PutObject on condition that the object is as `seen`. Every body has a nonce, hence every ETag is new."""

        def put() -> Stored:
            if seen and self._objects.get(key, Stored(0, None)).etag != seen.etag:
                raise Refused
            self._etags += 1
            self._objects[key] = Stored(self._etags, body)
            also()
            return self._objects[key]

        return put

    # Steps.

    def plan(self, me: str, objects: tuple[str, ...]) -> Step:
        world = self._world
        outcomes: dict[str, str] = {}
        mine: dict[str, str] = {}
        order: dict[str, int] = {}
        statuses: dict[str, str] = {}
        todo = list(objects)
        while todo:
            again: set[str] = set()
            current, claims, owners = {}, {}, {}
            for name in todo:
                there = yield self._get(f"objects/{name}", Planned())
                version = yield partial(world.media.__getitem__, name)
                changed = there.body.version != version.name
                current[name], order[name] = version.name, there.body.order + changed
                if changed or self._keeps("planned version written each time"):
                    planned = Planned(version.name, version.consent, order[name])
                    careful = self._keeps("planned version written as read")
                    try:
                        yield self._put(f"objects/{name}", planned, there if careful else None)
                    except Refused:
                        again.add(name)
                        continue
                claims[name] = yield self._get(f"claims/{version.name}")
            for owner in sorted({claim.body.execution for claim in claims.values() if claim.etag} - {me}):
                commit = yield self._get(f"commits/{owner}", frozenset())
                if self._keeps("status read after the claim") or owner not in statuses:
                    statuses[owner] = yield partial(world.describe, owner)
                if statuses[owner] == "RUNNING":
                    continue
                if self._keeps("a taker changes the commit object") and self._one_commit():
                    try:
                        yield self._put(f"commits/{owner}", commit.body, commit, partial(world.taken_from, owner))
                    except Refused:
                        again |= {
                            name for name, claim in claims.items() if claim.etag and claim.body.execution == owner
                        }
                owners[owner] = commit.body
            for name, claim in claims.items():
                if name in again:
                    continue
                transcript, owner = current[name], claim.body.execution if claim.etag else ""
                inherited: frozenset[str] = frozenset()
                if owner and owner != me:
                    if owner not in owners:
                        outcomes[transcript] = "elsewhere"
                        continue
                    if self._keeps("coverage inherited"):
                        inherited = claim.body.jobs | self._covering(transcript, owners[owner])
                if owner != me:
                    try:
                        yield self._put(f"claims/{transcript}", Claim(me, inherited), claim)
                    except Refused:
                        again.add(name)
                        continue
                mine[name] = transcript
            todo = [name for name in todo if name in again]
        for name in list(mine):
            records = yield partial(world.head_records, name)
            if self._recorded(records, mine[name], order[name]):
                outcomes[mine.pop(name)] = "reused"
        return {"planned": mine, "mine": mine, "order": order, "outcomes": outcomes}

    def prepare(self, me: str, state: State) -> Step:
        world = self._world
        outcomes = dict(state["outcomes"])
        while True:
            commit = yield self._get(f"commits/{me}", frozenset())
            try:
                commit = yield self._put(f"commits/{me}", commit.body, commit, lambda: world.goes_on(me))
                break
            except Refused:
                continue
        documents: list[str] = []
        known: set[str] = set()
        mine: dict[str, str] = {}
        claims: dict[str, Stored] = {}
        for name, transcript in state["planned"].items():
            while True:
                claim = yield self._get(f"claims/{transcript}")
                if claim.body.execution != me or not self._keeps("a redriven execution changes its claims"):
                    break
                try:
                    claim = yield self._put(f"claims/{transcript}", claim.body, claim)
                    break
                except Refused:
                    continue
            planned = yield self._get(f"objects/{name}")
            records = yield partial(world.head_records, name)
            if self._recorded(records, transcript, state["order"][name]):
                outcomes[transcript] = "transcribed" if records.by == me else "elsewhere"
            elif claim.body.execution != me:
                outcomes[transcript] = "elsewhere"
            elif (planned.body.version, planned.body.order) != (transcript, state["order"][name]):
                outcomes[transcript] = "superseded"
            elif not (names := world.versions[transcript].document_names()):
                outcomes[transcript] = "rejected"
            else:
                outcomes.pop(transcript, None)
                mine[name], claims[transcript] = transcript, claim
                documents += names
                known |= self._covering(transcript, claim.body.jobs | commit.body)
        trust = not self._keeps("output looked for")
        left, used = yield from uncovered(world, self._contents, documents, sorted(known), trust)
        new = name_of(left, known if self._keeps("name tells what was tried") else ()) if left else ""
        if new:
            self._contents[new] = left
        jobs = [*used, new] if new else used
        return {"mine": mine, "outcomes": outcomes, "commit": commit, "claims": claims, "new": new, "jobs": jobs}

    def start(self, me: str, state: State) -> Step:
        first = self._keeps("coverage committed before the start")
        if state["new"] and first:
            yield from self._commit(me, state)
        watched = yield from ensure_running(self._world, self._contents, state["jobs"])
        if state["new"] and not first:
            yield from self._commit(me, state)
        return {"watched": watched}

    def _commit(self, me: str, state: State) -> Step:
        new = state["new"]
        if self._one_commit():
            seen = state["commit"] if self._keeps("coverage committed under If-Match") else None
            try:
                yield self._put(f"commits/{me}", state["commit"].body | {new}, seen)
            except Refused:
                # An earlier attempt may have done it.
                there = yield self._get(f"commits/{me}")
                if new not in there.body:
                    raise TakenOver from None
            return
        covered = set(self._contents[new])
        for transcript, claim in state["claims"].items():
            if covered & set(self._world.versions[transcript].document_names()):
                try:
                    yield self._put(f"claims/{transcript}", Claim(me, claim.body.jobs | {new}), claim)
                except Refused:
                    there = yield self._get(f"claims/{transcript}")
                    if there.body.execution != me or new not in there.body.jobs:
                        raise TakenOver from None

    def collect(self, me: str, state: State) -> Step:
        world = self._world
        outcomes = dict(state["outcomes"])
        outputs = yield from outputs_of(world, state["jobs"])
        early = self._keeps("records' head read before the object")
        for name, transcript in state["mine"].items():
            complete = set(world.versions[transcript].document_names()) <= outputs
            order = state["order"][name]
            while transcript not in outcomes:
                if early:
                    head = yield partial(world.head_records, name)
                planned = yield self._get(f"objects/{name}")
                if not early:
                    head = yield partial(world.head_records, name)
                if self._recorded(head, transcript, order) and self._keeps("records' author read"):
                    outcomes[transcript] = "transcribed" if head.by == me else "elsewhere"
                elif (planned.body.version, planned.body.order) != (transcript, order) and self._keeps(
                    "version checked before the records"
                ):
                    outcomes[transcript] = "superseded"
                else:
                    try:
                        yield partial(world.put_records, name, head, transcript, complete, me, order)
                        outcomes[transcript] = "transcribed" if complete else "rejected"
                    except Refused:
                        continue
        return {"outcomes": outcomes}

    def rebuild(self) -> Step:
        raise NotImplementedError("Membership on S3 is another protocol, with a model of its own.")

    # What must hold.

    def problems(self, at_the_end: bool) -> list[str]:
        problems = []
        for name, current in self._world.media.items():
            planned = self._objects[f"objects/{name}"].body
            if (planned.version, planned.consent) != (current.name, current.consent):
                problems.append(f"{name} is planned as {planned}, not as {current.name}")
        return problems

    def _recorded(self, records: Records | None, version: str, order: int) -> bool:
        return records is not None and records.complete and (records.version, records.order) == (version, order)

    def _covering(self, transcript: str, jobs: frozenset[str]) -> frozenset[str]:
        documents = set(self._world.versions[transcript].document_names())
        return frozenset(base for base in jobs if documents & set(self._contents[base]))

    def _one_commit(self) -> bool:
        return self._keeps("coverage committed in one object")

    def _keeps(self, condition: str) -> bool:
        return condition not in self._without
