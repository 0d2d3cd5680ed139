"""L: claims, coverage, consent and membership are committed in one DynamoDB table.

Items: `execution` (generation, jobs committed), `claim` of a transcript (execution, jobs inherited), `object` (newest
version planned, its consent, a sequence; the transcript whose records stand; membership by fold), and the registry of
folds. A method whose name ends in `_if` is one conditional write or one transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import partial

from tests.models.entity_jobs import Contents, ensure_running, name_of, outputs_of, uncovered
from tests.models.world import Refused, State, Step, TakenOver, World

# Each is one condition or order of the protocol, and can be left out to see what it is for.
CONDITIONS = (
    "a taker fences the execution",
    "status read after the claim",
    "a redriven execution moves its generation on",
    "coverage committed before the start",
    "coverage committed at the generation of the claims",
    "coverage inherited",
    "planned version written as read",
    "planned version written each time",
    "records forgotten with the version",
    "records' head read before the ledger",
    "sequence checked at the commit",
    "registry checked at the commit",
    "rebuild held to what it read",
    "output looked for",
    "name tells what was tried",
)


# The execution, and the jobs of others that cover documents of the transcript.
Claim = tuple[str, frozenset[str]]


@dataclass(frozen=True)
class Item:
    """An object's item."""

    sequence: int = 0
    version: str = ""
    consent: bool = False
    recorded: str = ""
    recorded_by: str = ""
    members: dict[str, bool] = field(default_factory=dict)


class Ledger:
    """The protocol, less the conditions named by `without`."""

    def __init__(self, world: World, without: Collection[str] = ()) -> None:
        assert set(without) <= set(CONDITIONS)
        self._world, self._without = world, without
        self._generations: dict[str, int] = {}
        self._committed: dict[str, frozenset[str]] = {}
        self._claims: dict[str, Claim] = {}
        self._objects: dict[str, Item] = {}
        self._folds: tuple[str, ...] = ("old",)
        self._contents: Contents = {}

    # Reads, strongly consistent.

    def _items(self, names: list[str]) -> dict[str, Item]:
        return {name: self._objects.get(name, Item()) for name in names}

    def _sequence(self, name: str) -> int:
        return self._objects[name].sequence

    def _claims_on(self, transcripts: dict[str, str]) -> dict[str, Claim | None]:
        """By object, the claims on these transcripts."""
        return {name: self._claims.get(transcript) for name, transcript in transcripts.items()}

    def _read_for_commit(self, name: str) -> tuple[Item, tuple[str, ...]]:
        return self._objects[name], self._folds

    # Single writes.

    def _move_on_if(self, execution: str, generation: int | None) -> tuple[int, frozenset[str]]:
        """ADD 1 to the generation, if it is the one that was read; answers the item as it is now."""
        now = self._generations.get(execution, 0)
        if generation is not None and now != generation:
            raise Refused
        self._generations[execution] = now + 1
        if generation is None:
            self._world.goes_on(execution)
        else:
            self._world.taken_from(execution)
        return now + 1, self._committed.get(execution, frozenset())

    def _commit_if(self, execution: str, generation: int, base: str) -> None:
        if self._keeps("coverage committed at the generation of the claims"):
            self._require(self._generations.get(execution, 0) == generation)
        self._committed[execution] = self._committed.get(execution, frozenset()) | {base}

    def _plan_if(self, name: str, seen: Item, version: str, consent: bool) -> None:
        now = self._objects.get(name, Item())
        if self._keeps("planned version written as read"):
            self._require(now.sequence == seen.sequence)
        # What is recorded is of another version from now on, also if that version becomes current again.
        forgets = now.version != version and self._keeps("records forgotten with the version")
        recorded = "" if forgets else now.recorded
        self._objects[name] = replace(
            now, sequence=now.sequence + 1, version=version, consent=consent, recorded=recorded
        )

    def _create_claim_if(self, transcript: str, me: str) -> None:
        self._require(transcript not in self._claims)
        self._claims[transcript] = me, frozenset()

    # Transactions.

    def _take_if(self, transcript: str, me: str, owner: str, generation: int, jobs: frozenset[str]) -> None:
        if self._keeps("a taker fences the execution"):
            self._require(self._generations.get(owner, 0) == generation)
        self._require(self._claims[transcript][0] == owner)
        self._claims[transcript] = me, self._claims[transcript][1] | jobs

    def _finish_if(
        self, name: str, me: str, version: str, sequence: int, folds: tuple[str, ...], complete: bool
    ) -> None:
        item = self._objects[name]
        if self._keeps("sequence checked at the commit"):
            self._require(item.sequence == sequence)
        if self._keeps("registry checked at the commit"):
            self._require(self._folds == folds)
        members = {fold: self._qualifies(version, fold) for fold in folds}
        recorded = version if complete else ""
        self._objects[name] = replace(
            item,
            sequence=item.sequence + 1,
            recorded=recorded,
            recorded_by=me,
            members={**item.members, **members},
        )

    def _fold_if(self, name: str, fold: str, sequence: int, recorded: str) -> None:
        item = self._objects[name]
        if self._keeps("rebuild held to what it read"):
            self._require(item.sequence == sequence)
        self._objects[name] = replace(item, members={**item.members, fold: self._qualifies(recorded, fold)})

    # Steps.

    def plan(self, me: str, objects: tuple[str, ...]) -> Step:
        world = self._world
        outcomes: dict[str, str] = {}
        mine: dict[str, str] = {}
        statuses: dict[str, str] = {}
        todo = list(objects)
        while todo:
            again = []
            items = yield partial(self._items, todo)
            current = {}
            for name in todo:
                # After the item, so that what is planned follows what is in the bucket, whichever is older.
                current[name] = yield partial(world.media.__getitem__, name)
                version, item = current[name], items[name]
                if item.version != version.name or self._keeps("planned version written each time"):
                    try:
                        yield partial(self._plan_if, name, item, version.name, version.consent)
                    except Refused:
                        again.append(name)
            names = [name for name in todo if name not in again]
            claims = yield partial(self._claims_on, {name: current[name].name for name in names})
            taken = set()
            for owner in sorted({claim[0] for claim in claims.values() if claim and claim[0] != me}):
                generation = yield partial(self._generations.get, owner, 0)
                if self._keeps("status read after the claim") or owner not in statuses:
                    statuses[owner] = yield partial(world.describe, owner)
                if statuses[owner] == "RUNNING":
                    continue
                jobs = yield partial(self._committed.get, owner, frozenset())
                if self._keeps("a taker fences the execution"):
                    try:
                        generation, jobs = yield partial(self._move_on_if, owner, generation)
                    except Refused:
                        again += [name for name in names if (claims[name] or ("",))[0] == owner]
                        continue
                for name in names:
                    claim, transcript = claims[name], current[name].name
                    if claim and claim[0] == owner:
                        kept = self._covering(transcript, jobs) if self._keeps("coverage inherited") else frozenset()
                        try:
                            yield partial(self._take_if, transcript, me, owner, generation, kept)
                            taken.add(name)
                        except Refused:
                            again.append(name)
            for name in names:
                transcript, claim = current[name].name, claims[name]
                if claim is None:
                    try:
                        yield partial(self._create_claim_if, transcript, me)
                        mine[name] = transcript
                    except Refused:
                        again.append(name)
                elif claim[0] == me or name in taken:
                    mine[name] = transcript
                elif name not in again:
                    outcomes[transcript] = "elsewhere"
            todo = again
        items = yield partial(self._items, [*mine])
        for name, item in items.items():
            if item.recorded == mine[name]:
                outcomes[mine.pop(name)] = "reused"
        return {"planned": mine, "mine": mine, "outcomes": outcomes}

    def prepare(self, me: str, state: State) -> Step:
        world = self._world
        outcomes = dict(state["outcomes"])
        if self._keeps("a redriven execution moves its generation on"):
            generation, committed = yield lambda: self._move_on_if(me, None)
        else:
            generation = yield lambda: self._generations.get(me, 0)
            committed = yield lambda: self._committed.get(me, frozenset())
        planned = state["planned"]
        claims = yield partial(self._claims_on, planned)
        items = yield partial(self._items, [*planned])
        documents: list[str] = []
        known: set[str] = set()
        mine: dict[str, str] = {}
        for name, transcript in planned.items():
            if items[name].recorded == transcript:
                outcomes[transcript] = "transcribed" if items[name].recorded_by == me else "elsewhere"
            elif claims[name][0] != me:
                outcomes[transcript] = "elsewhere"
            elif items[name].version != transcript:
                outcomes[transcript] = "superseded"
            elif not (names := world.versions[transcript].document_names()):
                outcomes[transcript] = "rejected"
            else:
                outcomes.pop(transcript, None)
                mine[name] = transcript
                documents += names
                known |= self._covering(transcript, claims[name][1] | committed)
        trust = not self._keeps("output looked for")
        left, used = yield from uncovered(world, self._contents, documents, sorted(known), trust)
        new = name_of(left, known if self._keeps("name tells what was tried") else ()) if left else ""
        if new:
            self._contents[new] = left
        jobs = [*used, new] if new else used
        return {"mine": mine, "outcomes": outcomes, "generation": generation, "new": new, "jobs": jobs}

    def start(self, me: str, state: State) -> Step:
        def commit() -> Step:
            try:
                yield lambda: self._commit_if(me, state["generation"], state["new"])
            except Refused:
                raise TakenOver from None

        first = self._keeps("coverage committed before the start")
        if state["new"] and first:
            yield from commit()
        watched = yield from ensure_running(self._world, self._contents, state["jobs"])
        if state["new"] and not first:
            yield from commit()
        return {"watched": watched}

    def collect(self, me: str, state: State) -> Step:
        world = self._world
        outcomes = dict(state["outcomes"])
        outputs = yield from outputs_of(world, state["jobs"])
        for name, transcript in state["mine"].items():
            complete = set(world.versions[transcript].document_names()) <= outputs
            while transcript not in outcomes:
                if self._keeps("records' head read before the ledger"):
                    head = yield partial(world.head_records, name)
                item, folds = yield partial(self._read_for_commit, name)
                if not self._keeps("records' head read before the ledger"):
                    head = yield partial(world.head_records, name)
                if item.recorded == transcript:
                    # An earlier attempt of this step has committed it, or whoever took it over.
                    outcomes[transcript] = "transcribed" if item.recorded_by == me else "elsewhere"
                elif item.version != transcript and self._keeps("sequence checked at the commit"):
                    outcomes[transcript] = "superseded"
                else:
                    try:
                        yield partial(world.put_records, name, head, transcript, complete, me)
                        yield partial(self._finish_if, name, me, transcript, item.sequence, folds, complete)
                        outcomes[transcript] = "transcribed" if complete else "rejected"
                    except Refused:
                        continue
        return {"outcomes": outcomes}

    def rebuild(self) -> Step:
        """The cohort's rules change: a fold is registered, then every object's records are looked at again."""
        yield self._register
        names = yield lambda: [*self._objects]
        for name in names:
            sequence = yield partial(self._sequence, name)
            records = yield partial(self._world.head_records, name)
            if records:
                try:
                    yield partial(self._fold_if, name, "new", sequence, records.version)
                except Refused:
                    # Whoever has changed it since saw the fold in the registry.
                    continue
        return {}

    def _register(self) -> None:
        self._folds = ("old", "new")

    # What must hold.

    def misplanned(self) -> list[str]:
        return [
            f"{name} is planned as {item.version}, not as {self._world.media[name].name}"
            for name, item in self._objects.items()
            if item.version != self._world.media[name].name
        ]

    def problems(self) -> list[str]:
        problems = []
        for name, item in self._objects.items():
            current = self._world.media[name]
            if current.documents and item.recorded != current.name:
                problems.append(f"{name} is recorded as {item.recorded!r}")
            for fold in self._folds:
                member = item.consent and item.members.get(fold, False)
                if member and not current.consent:
                    problems.append(f"{name} is in {fold} against the consent of {current.name}")
                if current.documents and member != self._qualifies(current.name, fold):
                    problems.append(f"{name} in {fold}: {member}")
        return problems

    def _qualifies(self, version: str, fold: str) -> bool:
        made = self._world.versions[version]
        return made.consent and fold in made.meets

    def _covering(self, transcript: str, jobs: frozenset[str]) -> frozenset[str]:
        documents = set(self._world.versions[transcript].document_names())
        return frozenset(base for base in jobs if documents & set(self._contents[base]))

    def _keeps(self, condition: str) -> bool:
        return condition not in self._without

    @staticmethod
    def _require(condition: bool) -> None:
        if not condition:
            raise Refused
