"""The table of the ledger, in memory. A method whose name ends in `_if` is one conditional write or one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.models.parts import Refused
from tests.models.world import World

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


class Table:
    """The items. `keeps` tells whether a condition of the protocol is kept or left out."""

    def __init__(self, world: World, keeps: Callable[[str], bool]) -> None:
        self._world, self._keeps = world, keeps
        self.generations: dict[str, int] = {}
        self.committed: dict[str, frozenset[str]] = {}
        self.claims: dict[str, Claim] = {}
        self.objects: dict[str, Item] = {}
        self.folds: tuple[str, ...] = ("old",)

    # Reads, strongly consistent.

    def items(self, names: list[str]) -> dict[str, Item]:
        return {name: self.objects.get(name, Item()) for name in names}

    def sequence(self, name: str) -> int:
        return self.objects[name].sequence

    def claims_on(self, transcripts: dict[str, str]) -> dict[str, Claim | None]:
        """By object, the claims on these transcripts."""
        return {name: self.claims.get(transcript) for name, transcript in transcripts.items()}

    def read_for_commit(self, name: str) -> tuple[Item, tuple[str, ...]]:
        return self.objects[name], self.folds

    # Single writes.

    def move_on_if(self, execution: str, generation: int | None) -> tuple[int, frozenset[str]]:
        """ADD 1 to the generation, if it is the one that was read; answers the item as it is now."""
        now = self.generations.get(execution, 0)
        if generation is not None and now != generation:
            raise Refused
        self.generations[execution] = now + 1
        if generation is None:
            self._world.goes_on(execution)
        else:
            self._world.taken_from(execution)
        return now + 1, self.committed.get(execution, frozenset())

    def commit_if(self, execution: str, generation: int, base: str) -> None:
        if self._keeps("coverage committed at the generation of the claims"):
            self._require(self.generations.get(execution, 0) == generation)
        self.committed[execution] = self.committed.get(execution, frozenset()) | {base}

    def plan_if(self, name: str, seen: Item, version: str, consent: bool) -> None:
        now = self.objects.get(name, Item())
        if self._keeps("planned version written as read"):
            self._require(now.sequence == seen.sequence)
        # What is recorded is of another version from now on, also if that version becomes current again.
        forgets = now.version != version and self._keeps("records forgotten with the version")
        recorded = "" if forgets else now.recorded
        self.objects[name] = replace(
            now, sequence=now.sequence + 1, version=version, consent=consent, recorded=recorded
        )

    def create_claim_if(self, transcript: str, me: str) -> None:
        self._require(transcript not in self.claims)
        self.claims[transcript] = me, frozenset()

    # Transactions.

    def take_if(self, transcript: str, me: str, owner: str, generation: int, jobs: frozenset[str]) -> None:
        if self._keeps("a taker fences the execution"):
            self._require(self.generations.get(owner, 0) == generation)
        self._require(self.claims[transcript][0] == owner)
        self.claims[transcript] = me, self.claims[transcript][1] | jobs

    def finish_if(
        self, name: str, me: str, version: str, sequence: int, folds: tuple[str, ...], complete: bool
    ) -> None:
        item = self.objects[name]
        if self._keeps("sequence checked at the commit"):
            self._require(item.sequence == sequence)
        if self._keeps("registry checked at the commit"):
            self._require(self.folds == folds)
        members = {fold: self.qualifies(version, fold) for fold in folds}
        recorded = version if complete else ""
        self.objects[name] = replace(
            item,
            sequence=item.sequence + 1,
            recorded=recorded,
            recorded_by=me,
            members={**item.members, **members},
        )

    def fold_if(self, name: str, fold: str, sequence: int, recorded: str) -> None:
        item = self.objects[name]
        if self._keeps("rebuild held to what it read"):
            self._require(item.sequence == sequence)
        self.objects[name] = replace(item, members={**item.members, fold: self.qualifies(recorded, fold)})

    def register(self) -> None:
        self.folds = ("old", "new")

    def qualifies(self, version: str, fold: str) -> bool:
        made = self._world.versions[version]
        return made.consent and fold in made.meets

    @staticmethod
    def _require(condition: bool) -> None:
        if not condition:
            raise Refused
