"""The stories that a scheduler has found, one each. One that isn't true yet says so, and fails when it comes true."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from tests.interleavings import people
from tests.interleavings.circumstances import Options
from tests.interleavings.scenarios import PREFIX, key, media
from tests.interleavings.scheduler import Actor
from tests.interleavings.settling import broken_promises
from tests.interleavings.sharing import Call
from tests.interleavings.world import World, new_world
from tests.simulation.jobs import CORRUPT
from tests.simulation.privacy import naming
from tests.simulation.rest import CONSENT, COUNTS, NEWCOMERS, OLD, OTHER_WORDS, OUTCOMES, PAID


def not_yet(story: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"known: {story}")


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as world:
        yield world


def kinds(world: World) -> set[str]:
    """What is violated once it has come to rest."""
    return {violation.kind for violation in broken_promises(world)}


def run(world: World, name: str, request: Mapping[str, Any]) -> None:
    world.start(name, request)
    world.run()


def fails(world: World, execution: str, step: str, number: int = 1, operation: str = "", place: str = "") -> None:
    """Until the next redrive, from the so manyth such call of that step on."""
    calls = count(1)

    def breaks(call: Call) -> bool:
        return (
            (call.actor, call.step) == (execution, step)
            and call.operation.startswith(operation)
            and place in call.places
            and next(calls) >= number
        )

    world.breaks = breaks


def mend(world: World) -> None:
    world.breaks = lambda call: False


def at(step: str, number: int, execution: str = "E1") -> Callable[[Call], bool]:
    """The so manyth call of that step of the execution."""
    calls = count(1)
    return lambda call: (call.actor, call.step) == (execution, step) and next(calls) == number


def at_each(step: str, begin: Callable[[World], None], execution: str = "E1") -> Iterator[tuple[World, Actor]]:
    """A world for each call of that step, in which the execution is about to make it."""
    for number in count(1):
        with new_world() as world:
            begin(world)
            held = world.scheduler.run(at(step, number, execution))
            if held is None:
                assert number > 1
                return
            yield world, held


def three(world: World) -> None:
    for name in "abc":
        world.upload(key(name))


def red_in_collection(world: World, number: int) -> None:
    """E1 has paid for three recordings and written the records of some of them."""
    three(world)
    fails(world, "E1", "CollectEntities", number, "PutObject", "/records/")
    run(world, "E1", media("a", "b", "c"))
    mend(world)
    assert world.executions["E1"].status == "FAILED"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_redrive_of_a_half_done_collection_pays_for_nothing_again(world: World, number: int) -> None:
    red_in_collection(world, number)
    world.redrive("E1")
    world.run()
    assert kinds(world) == set()


def test_a_new_execution_with_the_same_set_pays_for_nothing_again(world: World) -> None:
    red_in_collection(world, 1)
    run(world, "E2", media("a", "b", "c"))
    assert PAID not in kinds(world)


@pytest.mark.parametrize("number", [2, 3])
def test_a_new_execution_after_a_half_done_collection_pays_for_nothing_again(world: World, number: int) -> None:
    red_in_collection(world, number)
    run(world, "E2", media("a", "b", "c"))
    assert PAID not in kinds(world)


def test_one_more_recording_below_the_prefix_is_paid_alone(world: World) -> None:
    red_in_collection(world, 1)
    world.upload(key("d"))
    run(world, "E2", PREFIX)
    assert PAID not in kinds(world)


def test_one_recording_of_a_failed_batch_alone_is_not_paid_again(world: World) -> None:
    red_in_collection(world, 1)
    run(world, "E2", media("a"))
    assert PAID not in kinds(world)


def test_what_a_job_of_a_stopped_execution_is_at_is_not_paid_again(world: World) -> None:
    three(world)
    world.start("E1", media("a", "b", "c"))
    assert world.scheduler.run(at("PollEntityDetection", 1))
    world.stop("E1")
    world.upload(key("d"))
    run(world, "E2", PREFIX)
    assert PAID not in kinds(world)


def test_after_a_partial_success_only_what_is_missing_is_paid(world: World) -> None:
    for name in "ab":
        world.upload(key(name), sentences=2)
    world.doomed.add("last document")
    run(world, "E1", media("a", "b"))
    world.doomed.clear()
    run(world, "E2", media("a", "b"))
    looked_at = [sorted(job.documents) for job in world.comprehend_medical.jobs.values()]
    again = [name for name in looked_at[0][:-1] if any(name in later for later in looked_at[1:])]
    assert again == []


def red_in_preparation(world: World, *names: str) -> None:
    """E2 plans what E1 left undone, or those recordings of it."""
    for name in "ab":
        world.upload(key(name))
    fails(world, "E1", "PrepareDocuments")
    run(world, "E1", media("a", "b"))
    mend(world)
    world.start("E2", media(*(names or "ab")))


def test_whenever_the_other_one_is_redriven_while_one_plans_each_recording_is_paid_once() -> None:
    found = set()
    for world, held in at_each("PlanBatch", red_in_preparation, "E2"):
        world.redrive("E1")
        redriven = world.scheduler.run(at("PollEntityDetection", 1), hold=[held])
        world.scheduler.run(hold=[redriven] if redriven else [])
        world.run()
        found |= kinds(world)
    assert PAID not in found


def test_whenever_two_select_seeds_at_once_their_audiences_do_not_tell_of_one_person() -> None:
    def begin(world: World) -> None:
        world.deploy(cohorts=0.5)
        for name in "ab":
            world.upload(key(name), consent=True)
        world.start("E1", media("a"))

    found = set()
    for world, held in at_each("SelectSeeds", begin):
        world.start("E2", media("b"))
        world.scheduler.run(hold=[held])
        world.run()
        found |= kinds(world)
    assert NEWCOMERS not in found


@pytest.mark.parametrize("step", ["PollTranscription", "PrepareDocuments"])
def test_a_rejected_recording_that_is_taken_over_is_counted_once(step: str) -> None:
    for number in count(1):
        with new_world() as world:
            world.upload(key("a"), body=CORRUPT)
            world.upload(key("b"))
            fails(world, "E1", step, number)
            run(world, "E1", media("a", "b"))
            mend(world)
            if world.executions["E1"].status == "SUCCEEDED":
                break
            run(world, "E2", media("a", "b"))
            assert COUNTS not in kinds(world)
    assert number > 1


@pytest.mark.parametrize("step", ["PollEntityDetection", "CollectEntities"])
def test_after_a_takeover_one_execution_says_transcribed(world: World, step: str) -> None:
    three(world)
    fails(world, "E1", step)
    run(world, "E1", media("a", "b", "c"))
    mend(world)
    run(world, "E2", media("a", "b", "c"))
    assert OUTCOMES not in kinds(world)


def test_an_execution_notices_the_second_takeover_by_the_same_one() -> None:
    found = set()
    for number in count(1):
        with new_world(options=Options(etags_by_content=True)) as world:
            red_in_preparation(world, "a")
            fails(world, "E2", "PlanBatch", number)
            world.run()
            if world.executions["E2"].status == "SUCCEEDED":
                break
            fails(world, "E1", "StartEntityDetection")
            world.redrive("E1")
            world.run()
            mend(world)
            world.redrive("E2")
            world.run()
            found |= kinds(world)
    assert number > 1
    assert PAID not in found


def test_a_stopped_plan_that_goes_on_does_not_disturb_the_redriven_one() -> None:
    def begin(world: World) -> None:
        world.upload(key("a"))
        world.start("E1", media("a"))

    found = set()
    for world, held in at_each("PlanBatch", begin):
        world.upload(key("a"))
        world.stop("E1")
        world.redrive("E1")
        redriven = world.scheduler.run(at("PollEntityDetection", 1), hold=[held])
        assert redriven
        world.scheduler.run(hold=[redriven])
        world.run()
        found |= kinds(world)
    assert found == set()


def test_a_version_that_is_current_again_gets_its_records(world: World) -> None:
    for execution in ("E1", "E2"):
        world.upload(key("a"))
        run(world, execution, media("a"))
    world.buckets.remove_newest("media-bucket", key("a"))
    run(world, "E3", media("a"))
    assert OLD not in kinds(world)


def test_a_recording_that_is_replaced_before_it_is_read_keeps_its_words_to_itself() -> None:
    with new_world(options=Options(reads_late=True)) as world:
        world.upload(key("a"))
        world.start("E1", media("a"))
        held = world.scheduler.run(at("PollTranscription", 1))
        assert held
        world.upload(key("a"))
        world.run()
        assert OTHER_WORDS not in kinds(world)


@pytest.mark.parametrize("body", [b"", b" ", CORRUPT], ids=["empty", "silent", "corrupt"])
def test_every_newer_version_withdraws_the_consent_of_the_older_one(world: World, body: bytes) -> None:
    world.deploy(cohorts=0.5)
    for name in "ab":
        world.upload(key(name), consent=True)
    run(world, "E1", media("a", "b"))
    world.upload(key("b"), body=body)
    run(world, "E2", media("b"))
    assert CONSENT not in kinds(world)


def test_nothing_of_a_patient_is_written_after_the_proof_that_nothing_is_left() -> None:
    left = []

    def begin(world: World) -> None:
        for name in "ab":
            world.upload(key(name))
        world.start("E1", media("a", "b"))

    for world, _held in at_each("CollectEntities", begin):
        world.stop("E1")
        people.work(world, "p-a")
        world.run()
        if "p-a" in world.forgotten:
            left += naming(world, "p-a")
    assert left == []
