"""A scenario's steps on the local AWS: the synthesized stack with the real state machine; only the engines are ours."""

import json
from typing import Any

from bench.simulation.definition import EXCEEDED
from lambdas.shared.layout import SUPPRESSION_LIST
from operations.forgetting import forget as forgetting
from tests.interleavings.executions import DEFINITION
from tests.storms.fidelity.local_world import LocalWorld
from tests.storms.fidelity.outcome import Job, Outcome, Red, Seen, outcome
from tests.storms.fidelity.steps import BODIES, CLEAN_ROOMS_ML, S3, SAYS, TRANSCRIBE, key, said

ACTIONS = {TRANSCRIBE: "transcribe:*", S3: "s3:*", CLEAN_ROOMS_ML: "cleanrooms-ml:*"}
RED = ("FAILED", "ABORTED", "TIMED_OUT")


class OnLocalAws:
    """One scenario, of its own executions and jobs."""

    def __init__(self, world: LocalWorld) -> None:
        self._world, self._run = world, world.run
        self._recordings: dict[str, list[str]] = {}
        self._reds: list[Red] = []
        world.clear()
        world.listen(False)
        self._earlier = {item["executionArn"] for item in world.executions()}
        self._earlier_jobs = {job.id for job in (*world.transcriptions(), *world.detections())}

    def upload(self, name: str, how: str = SAYS, *, consent: bool = False) -> None:
        before = len(self._executions())
        self._world.listen(True)
        self.put(name, how, consent=consent)
        self._world.listen(False)
        self._run.until(lambda: len(self._executions()) > before)
        self._rest()

    def put(self, name: str, how: str = SAYS, *, consent: bool = False) -> None:
        versions = self._recordings.setdefault(key(name), [])
        body = BODIES.get(how)
        if body is None:
            body = self._run.engines.recording(said(name, len(versions) + 1, how))
        self._run.drop(key(name), body, consent=consent)
        versions.append(self._run.s3.head_object(Bucket=self._run.pipeline.media_bucket, Key=key(name))["VersionId"])

    def send_again(self, name: str) -> None:
        stored = {"key": key(name), "version-id": self._recordings[key(name)][-1]}
        event = {"detail": {"bucket": {"name": self._run.pipeline.media_bucket}, "object": stored}}
        self._world.sqs.send_message(QueueUrl=self._world.queue, MessageBody=json.dumps(event))
        self._rest()

    def start(self, *names: str, reprocess: bool = False) -> None:
        self._begin(names, **({"reprocess": True} if reprocess else {}))
        self._rest()

    def start_and_stop(self, *names: str) -> None:
        self._world.engine.go_on.clear()
        arn = self._begin(names)
        self._run.until(lambda: len(self._transcriptions()) == len(names))
        self._run.until(lambda: all(name != "StartTranscription" for name in self._children_states(arn)))
        self._run.stepfunctions.stop_execution(executionArn=arn)
        self._world.engine.go_on.set()
        self._rest()

    def redrive(self) -> None:
        self._run.stepfunctions.redrive_execution(executionArn=self._red()["executionArn"])
        self._rest()

    def start_anew(self) -> None:
        self._run.begin(**json.loads(self._red()["input"]))
        self._rest()

    def fail_next(self, kind: str) -> None:
        self._world.engine.fails.append(kind)

    def deny(self, service: str) -> None:
        statement = {"Effect": "Deny", "Action": ACTIONS[service], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
        for role in self._world.roles():
            self._world.iam.put_role_policy(RoleName=role, PolicyName=f"no-{service}", PolicyDocument=policy)

    def allow(self, service: str) -> None:
        for role in self._world.roles():
            self._world.iam.delete_role_policy(RoleName=role, PolicyName=f"no-{service}")

    def suppress(self, name: str) -> None:
        bucket = self._run.pipeline.audience_bucket
        there = self._world.objects(bucket).get(SUPPRESSION_LIST, b"")
        self._run.s3.put_object(Bucket=bucket, Key=SUPPRESSION_LIST, Body=there + f"p-{name}\n".encode())

    def forget(self, name: str) -> None:
        plan = forgetting.plan_removal(self._world.deployed, [f"p-{name}"], _silent, _silent)
        assert forgetting.forget(self._world.deployed, plan, _silent, delete_audiences=False).left == []

    def outcome(self) -> Outcome:
        world, pipeline = self._world, self._run.pipeline
        return outcome(
            Seen(
                *(pipeline.media_bucket, pipeline.clinical_bucket, pipeline.audience_bucket),
                self._recordings,
                {
                    "clinical": world.objects(pipeline.clinical_bucket),
                    "audience": world.objects(pipeline.audience_bucket),
                },
                [(item["name"], json.loads(item["input"]), item["status"]) for item in self._executions()],
                self._reds,
                self._transcriptions(),
                [job for job in world.detections() if job.id not in self._earlier_jobs],
                world.generations(),
                world.items(),
            )
        )

    def _executions(self) -> list[dict[str, Any]]:
        return self._world.executions(self._earlier)

    def _children_states(self, arn: str) -> list[str]:
        children = self._run.children({"executionArn": arn})
        return [self._run.states(child["executionArn"])[-1] for child in children]

    def _transcriptions(self) -> list[Job]:
        return [job for job in self._world.transcriptions() if job.id not in self._earlier_jobs]

    def _begin(self, names: tuple[str, ...], **more: Any) -> str:
        return self._run.begin(media=[f"s3://{self._run.pipeline.media_bucket}/{key(name)}" for name in names], **more)

    def _rest(self) -> None:
        self._run.until(self._world.is_at_rest)
        for item in self._executions():
            if item["status"] in RED and (red := self._described(item)) not in self._reds:
                self._reds.append(red)

    def _described(self, item: dict[str, Any]) -> Red:
        entered = self._run.states(item["executionArn"])
        state = next(name for name in reversed(entered) if name in DEFINITION["States"])
        red = Red(item["name"], item["status"], state)
        if item["status"] == "ABORTED":
            return red
        if item["error"] != EXCEEDED:
            return red._replace(error=item["error"], task=entered[-1], cause=item["error"])
        (child,) = [one for one in self._run.children(item, of=state) if one["status"] == "FAILED"]
        task = self._run.states(child["executionArn"])[-1]
        return red._replace(error=item["error"], task=task, cause=child["error"])

    def _red(self) -> dict[str, Any]:
        return [item for item in self._executions() if item["status"] in RED][-1]


def _silent(*_: Any) -> None:
    """Nobody looks at the progress."""
