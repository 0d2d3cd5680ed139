"""Claims, coverage, consent and membership are committed in one DynamoDB table.

Membership is not built yet. The rest of it tests/interleavings tries with the functions themselves.

Items: `execution` (generation, jobs committed), `claim` of a transcript (execution, jobs inherited), `object` (newest
version planned, its consent, a sequence; the transcript whose records stand; membership by fold), and the registry of
folds.
"""

from collections.abc import Collection
from functools import partial

from tests.models.entity_jobs import Contents, ensure_running, name_of, outputs_of, uncovered
from tests.models.ledger_table import Table
from tests.models.parts import Records, Refused, State, Step, TakenOver
from tests.models.world import World

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
    "complete records kept from incomplete ones",
    "sequence checked at the commit",
    "registry checked at the commit",
    "rebuild held to what it read",
    "output looked for",
    "name tells what was tried",
)


class Ledger:
    """The protocol, less the conditions named by `without`."""

    def __init__(self, world: World, without: Collection[str] = ()) -> None:
        assert set(without) <= set(CONDITIONS)
        self._world, self._without = world, without
        self._table = Table(world, self._keeps)
        self._contents: Contents = {}

    # Steps.

    def plan(self, me: str, objects: tuple[str, ...]) -> Step:
        world = self._world
        outcomes: dict[str, str] = {}
        mine: dict[str, str] = {}
        statuses: dict[str, str] = {}
        todo = list(objects)
        while todo:
            again = []
            items = yield partial(self._table.items, todo)
            current = {}
            for name in todo:
                # After the item, so that what is planned follows what is in the bucket, whichever is older.
                current[name] = yield partial(world.media.__getitem__, name)
                version, item = current[name], items[name]
                if item.version != version.name or self._keeps("planned version written each time"):
                    try:
                        yield partial(self._table.plan_if, name, item, version.name, version.consent)
                    except Refused:
                        again.append(name)
            names = [name for name in todo if name not in again]
            claims = yield partial(self._table.claims_on, {name: current[name].name for name in names})
            taken = set()
            for owner in sorted({claim[0] for claim in claims.values() if claim and claim[0] != me}):
                generation = yield partial(self._table.generations.get, owner, 0)
                if self._keeps("status read after the claim") or owner not in statuses:
                    statuses[owner] = yield partial(world.describe, owner)
                if statuses[owner] == "RUNNING":
                    continue
                jobs = yield partial(self._table.committed.get, owner, frozenset())
                if self._keeps("a taker fences the execution"):
                    try:
                        generation, jobs = yield partial(self._table.move_on_if, owner, generation)
                    except Refused:
                        again += [name for name in names if (claims[name] or ("",))[0] == owner]
                        continue
                for name in names:
                    claim, transcript = claims[name], current[name].name
                    if claim and claim[0] == owner:
                        kept = self._covering(transcript, jobs) if self._keeps("coverage inherited") else frozenset()
                        try:
                            yield partial(self._table.take_if, transcript, me, owner, generation, kept)
                            taken.add(name)
                        except Refused:
                            again.append(name)
            for name in names:
                transcript, claim = current[name].name, claims[name]
                if claim is None:
                    try:
                        yield partial(self._table.create_claim_if, transcript, me)
                        mine[name] = transcript
                    except Refused:
                        again.append(name)
                elif claim[0] == me or name in taken:
                    mine[name] = transcript
                elif name not in again:
                    outcomes[transcript] = "elsewhere"
            todo = again
        items = yield partial(self._table.items, [*mine])
        for name, item in items.items():
            if item.recorded == mine[name]:
                outcomes[mine.pop(name)] = "reused"
        return {"planned": mine, "mine": mine, "outcomes": outcomes}

    def prepare(self, me: str, state: State) -> Step:
        world = self._world
        outcomes = dict(state["outcomes"])
        if self._keeps("a redriven execution moves its generation on"):
            generation, committed = yield lambda: self._table.move_on_if(me, None)
        else:
            generation = yield lambda: self._table.generations.get(me, 0)
            committed = yield lambda: self._table.committed.get(me, frozenset())
        planned = state["planned"]
        claims = yield partial(self._table.claims_on, planned)
        items = yield partial(self._table.items, [*planned])
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
                yield lambda: self._table.commit_if(me, state["generation"], state["new"])
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
                item, folds = yield partial(self._table.read_for_commit, name)
                if not self._keeps("records' head read before the ledger"):
                    head = yield partial(world.head_records, name)
                if item.recorded == transcript:
                    # An earlier attempt of this step has committed it, or whoever took it over.
                    outcomes[transcript] = "transcribed" if item.recorded_by == me else "elsewhere"
                elif item.version != transcript and self._keeps("sequence checked at the commit"):
                    outcomes[transcript] = "superseded"
                elif self._better(head, transcript, complete):
                    outcomes[transcript] = "elsewhere"
                else:
                    try:
                        yield partial(world.put_records, name, head, transcript, complete, me)
                        yield partial(self._table.finish_if, name, me, transcript, item.sequence, folds, complete)
                        outcomes[transcript] = "transcribed" if complete else "rejected"
                    except Refused:
                        continue
        return {"outcomes": outcomes}

    def _better(self, head: Records | None, transcript: str, complete: bool) -> bool:
        """Whether records are there that are about to be committed, by one who knew of more outputs."""
        there = head is not None and head.complete and head.version == transcript
        return there and not complete and self._keeps("complete records kept from incomplete ones")

    def rebuild(self) -> Step:
        """The cohort's rules change: a fold is registered, then every object's records are looked at again."""
        yield self._table.register
        names = yield lambda: [*self._table.objects]
        for name in names:
            sequence = yield partial(self._table.sequence, name)
            records = yield partial(self._world.head_records, name)
            if records:
                try:
                    yield partial(self._table.fold_if, name, "new", sequence, records.version)
                except Refused:
                    # Whoever has changed it since saw the fold in the registry.
                    continue
        return {}

    # What must hold.

    def problems(self, at_the_end: bool) -> list[str]:
        problems = []
        for name, item in self._table.objects.items():
            current = self._world.media[name]
            if item.version != current.name:
                problems.append(f"{name} is planned as {item.version}, not as {current.name}")
            for fold in self._table.folds:
                member = item.consent and item.members.get(fold, False)
                if member and not current.consent:
                    problems.append(f"{name} is in {fold} against the consent of {current.name}")
                if at_the_end and current.documents and member != self._table.qualifies(current.name, fold):
                    problems.append(f"{name} in {fold}: {member}")
            if at_the_end and current.documents and item.recorded != current.name:
                problems.append(f"{name} is recorded as {item.recorded!r}")
        return problems

    def _covering(self, transcript: str, jobs: frozenset[str]) -> frozenset[str]:
        documents = set(self._world.versions[transcript].document_names())
        return frozenset(base for base in jobs if documents & set(self._contents[base]))

    def _keeps(self, condition: str) -> bool:
        return condition not in self._without
