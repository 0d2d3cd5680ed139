"""Those who do a history's deeds."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any, ClassVar

from bench.simulation.clock import Steps
from tests.interleavings.scenarios import PREFIX, key, media
from tests.simulation import forgetting
from tests.simulation.aws import AUDIENCE, MEDIA, SUPPRESSION_KEY
from tests.simulation.jobs import ComprehendMedical, Transcribe
from tests.storms import story
from tests.storms.executions import Execution
from tests.storms.functions import Invocation
from tests.storms.story import BODIES, Deed
from tests.storms.world import FOR_EVER, World

# Jobs of other environments in the account leave so many.
CROWDED = 1
# A line of the suppression list that can't be read for certain.
UNCLEAR = b"a, b\n"


class People:
    def __init__(self, world: World) -> None:
        self.world = world
        self.presses = self.presses_before_calm = 0
        # Executions that another one was started for: nobody redrives them any more.
        self.replaced: set[str] = set()
        self._waiting: dict[str, list[Deed]] = {}
        self._seen: Counter[str] = Counter()
        world.functions.seen = self.see
        self._numbers = count(1)

    def will(self, deed: Deed) -> None:
        if deed.when:
            self._waiting.setdefault(deed.when, []).append(deed)
        else:
            self.world.clock.begin(self._do(deed), after=deed.at)

    def see(self, step: str) -> None:
        """A function begins."""
        self._seen[step] += 1
        for deed in self._waiting.pop(f"{step} {self._seen[step]}", ()):
            self.world.clock.begin(self._do(deed), after=deed.at)

    def rest(self) -> None:
        """They do nothing more of themselves."""
        self._waiting.clear()
        self.replaced.clear()
        self.presses_before_calm = self.presses

    @property
    def presses_in_calm(self) -> int:
        return self.presses - self.presses_before_calm

    def _do(self, deed: Deed) -> Steps:
        self.world.note(f"-- {deed.text}")
        self._deeds[deed.what](self, deed)
        return
        yield 0.0

    def upload(self, deed: Deed) -> None:
        self.world.upload(
            key(deed.whom),
            consent=deed.how in ("consenting", "long"),
            body=BODIES.get(deed.how),
            sentences=2 if deed.how == "long" else 1,
        )

    def delete(self, deed: Deed) -> None:
        if self.world.buckets.current(MEDIA, key(deed.whom)):
            self.world.buckets.mark_deleted(MEDIA, key(deed.whom))

    def take_back(self, deed: Deed) -> None:
        """S3 sends no event about the version that is the current one again (docs/architecture.md)."""
        if self.world.buckets.versions(MEDIA, key(deed.whom)):
            self.world.buckets.remove_newest(MEDIA, key(deed.whom))
            if there := self.world.buckets.current(MEDIA, key(deed.whom)):
                if there.metadata.get("audience-consent"):
                    self.world.watch.consents_again(f"p-{deed.whom}")
                self.start(Deed(0, story.START, deed.whom))

    def suppress(self, deed: Deed) -> None:
        self.world.suppress(f"p-{deed.whom}")

    def forget(self, deed: Deed) -> None:
        self.world.departed.add(f"p-{deed.whom}")
        self.begin_to_forget(f"p-{deed.whom}")

    def begin_to_forget(self, user_id: str) -> None:
        """The command takes its time, as a function does."""
        world = self.world
        name = world.functions.named("forget", user_id)

        def work() -> None:
            world.forgotten.discard(user_id)
            if forgetting.forget(world.patch, user_id, self._wait, world.note):
                world.forgotten.add(user_id)
                world.watch.gone(user_id)

        Invocation(world, name, work, FOR_EVER)

    def _wait(self, seconds: float) -> None:
        assert self.world.current
        self.world.current.pause(seconds)

    def start(self, deed: Deed) -> None:
        request: dict[str, Any] = dict(media(*deed.whom) if deed.whom else PREFIX)
        if deed.how == "again":
            request["reprocess"] = True
        self.world.start(f"E{next(self._numbers)}", request)

    def redrive(self, deed: Deed) -> None:
        if execution := self._one(deed, lambda item: item.is_red):
            self.press_redrive(execution)

    def start_anew(self, deed: Deed) -> None:
        if execution := self._one(deed, lambda item: item.is_red):
            self.press_new(execution)

    def redrive_and_start_anew(self, deed: Deed) -> None:
        if execution := self._one(deed, lambda item: item.is_red):
            self.press_redrive(execution)
            self.press_new(execution)

    def press_redrive(self, execution: Execution) -> None:
        self.presses += 1
        self.world.note(f"-- {execution.name} is redriven")
        execution.redrive()

    def press_new(self, execution: Execution, **more: Any) -> Execution:
        self.replaced.add(execution.name)
        return self._press_start({**execution.request, **more})

    def start_again(self, uris: list[str]) -> Execution:
        return self._press_start({"media": uris})

    def _press_start(self, request: dict[str, Any]) -> Execution:
        self.presses += 1
        return self.world.start(f"E{next(self._numbers)}", request)

    def stop(self, deed: Deed) -> None:
        if execution := self._one(deed, lambda item: item.status == "RUNNING"):
            self.world.note(f"-- {execution.name} is stopped")
            execution.stop()

    def stop_job(self, deed: Deed) -> None:
        if self.world.comprehend_medical.running:
            self.world.comprehend_medical.stop()

    def deploy_cohorts(self, deed: Deed) -> None:
        self.world.deploy(cohorts=float(deed.how))

    def deploy_settings(self, deed: Deed) -> None:
        self.world.deploy(Type=deed.how)

    def deploy_code(self, deed: Deed) -> None:
        self.world.deploy()

    def deny(self, deed: Deed) -> None:
        def mended() -> Steps:
            self.world.denied.discard(deed.whom)
            return
            yield 0.0

        self.world.denied.add(deed.whom)
        self.world.clock.begin(mended(), after=float(deed.how))

    def crowd(self, deed: Deed) -> None:
        services: list[Transcribe | ComprehendMedical] = [self.world.transcribe, self.world.comprehend_medical]
        before = [service.quota for service in services]

        def left() -> Steps:
            for service, quota in zip(services, before, strict=True):
                service.quota = quota
            return
            yield 0.0

        for service in services:
            service.quota = min(service.quota, CROWDED)
        self.world.clock.begin(left(), after=float(deed.how))

    def archive(self, deed: Deed) -> None:
        self.world.buckets.archive(MEDIA, key(deed.whom))

    def spoil(self, deed: Deed) -> None:
        there = self.world.buckets.current(AUDIENCE, SUPPRESSION_KEY)
        self.world.buckets.put(AUDIENCE, SUPPRESSION_KEY, (there.body if there else b"") + UNCLEAR, {})

    def lower_a_ceiling(self, deed: Deed) -> None:
        self.world.set_ceilings("0.001" if deed.how != "day" else None, "0.06", cut=deed.how == "batch, cut")

    def vanish(self, deed: Deed) -> None:
        """The service has no such job any more, as after 90 days; what it has cost doesn't count any more either."""
        service: Transcribe | ComprehendMedical = getattr(self.world, deed.whom)
        if there := list(service.jobs):
            del service.jobs[there[deed.rank % len(there)]]

    def repair(self) -> None:
        """What docs/reruns.md calls so: restore, correct the list, raise the ceilings."""
        world = self.world
        world.buckets.archived.clear()
        world.set_ceilings()
        if there := world.buckets.current(AUDIENCE, SUPPRESSION_KEY):
            world.buckets.put(AUDIENCE, SUPPRESSION_KEY, there.body.replace(UNCLEAR, b""), {})

    def move_dead_letters_back(self, deed: Deed) -> None:
        self.world.queue.move_dead_letters_back()

    def _one(self, deed: Deed, is_one: Callable[[Execution], bool]) -> Execution | None:
        there = [item for item in self.world.executions.values() if is_one(item)]
        return there[deed.rank % len(there)] if there else None

    _deeds: ClassVar[dict[str, Callable[["People", Deed], None]]] = {
        story.UPLOAD: upload,
        story.DELETE: delete,
        story.TAKE_BACK: take_back,
        story.SUPPRESS: suppress,
        story.FORGET: forget,
        story.START: start,
        story.REDRIVE: redrive,
        story.NEW: start_anew,
        story.BOTH: redrive_and_start_anew,
        story.STOP: stop,
        story.STOP_JOB: stop_job,
        story.COHORTS: deploy_cohorts,
        story.SETTINGS: deploy_settings,
        story.CODE: deploy_code,
        story.DENY: deny,
        story.CROWD: crowd,
        story.MOVE_BACK: move_dead_letters_back,
        story.ARCHIVE: archive,
        story.SPOIL: spoil,
        story.CEILING: lower_a_ceiling,
        story.VANISH: vanish,
    }
