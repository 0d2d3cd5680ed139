"""The scenarios that both worlds play."""

from collections.abc import Callable

from tests.storms.fidelity.steps import (
    CLEAN_ROOMS_ML,
    CORRUPT_FILE,
    DETECTION,
    EMPTY,
    GENERATION,
    LAST_DOCUMENT,
    LONG,
    S3,
    SAYS,
    SILENT,
    TRANSCRIBE,
    TRANSCRIPTION,
    Steps,
)


def uploads_with_and_without_consent(steps: Steps) -> None:
    steps.upload("001", consent=True)
    steps.upload("002")
    steps.upload("003", consent=True)


def recordings_that_say_nothing(steps: Steps) -> None:
    for name, how in (("001", EMPTY), ("002", CORRUPT_FILE), ("003", SILENT), ("004", SAYS), ("005", SAYS)):
        steps.put(name, how, consent=True)
    for _ in range(2):
        steps.start("001", "002", "003", "004", "005")


def a_recording_that_is_replaced(steps: Steps) -> None:
    for name in ("001", "002", "003"):
        steps.upload(name, consent=True)
    steps.upload("001", LONG)


def an_event_that_comes_twice(steps: Steps) -> None:
    steps.upload("001", consent=True)
    steps.send_again("001")


def a_stop_and_a_redrive(steps: Steps) -> None:
    steps.put("001", consent=True)
    steps.put("002", LONG, consent=True)
    steps.start_and_stop("001", "002")
    steps.redrive()


def jobs_that_fail_for_the_service_and_redrives(steps: Steps) -> None:
    steps.put("001", consent=True)
    steps.fail_next(TRANSCRIPTION)
    steps.start("001")
    steps.redrive()
    steps.put("002", consent=True)
    steps.fail_next(DETECTION)
    steps.fail_next(GENERATION)
    steps.start("001", "002")
    steps.redrive()
    steps.redrive()


def permissions_that_are_missing_and_given_back(steps: Steps) -> None:
    steps.put("001", consent=True)
    steps.put("002", consent=True)
    for service in (S3, TRANSCRIBE, CLEAN_ROOMS_ML):
        steps.deny(service)
    steps.start("001", "002")
    for service in (S3, TRANSCRIBE, CLEAN_ROOMS_ML):
        steps.allow(service)
        steps.redrive()


def a_partial_success_and_a_new_execution(steps: Steps) -> None:
    steps.put("001", consent=True)
    steps.put("002", consent=True)
    steps.start("001", "002")
    steps.put("003", LONG, consent=True)
    steps.fail_next(LAST_DOCUMENT)
    for _ in range(2):
        steps.start("001", "002", "003")


def somebody_who_is_suppressed(steps: Steps) -> None:
    for name in ("001", "002", "003"):
        steps.put(name, consent=True)
    steps.suppress("002")
    steps.start("001", "002", "003")
    steps.suppress("001")
    steps.start("001", reprocess=True)


def a_new_execution_while_one_is_red(steps: Steps) -> None:
    for name in ("001", "002", "003"):
        steps.put(name, consent=True)
    steps.fail_next(DETECTION)
    steps.start("001", "002")
    steps.start("001", "003")
    steps.redrive()


def a_patient_who_is_forgotten(steps: Steps) -> None:
    for name in ("001", "002", "003"):
        steps.put(name, consent=True)
    steps.start("001", "002", "003")
    steps.forget("001")
    steps.upload("004", consent=True)


SCENARIOS: dict[str, Callable[[Steps], None]] = {
    scenario.__name__: scenario
    for scenario in (
        uploads_with_and_without_consent,
        recordings_that_say_nothing,
        a_recording_that_is_replaced,
        an_event_that_comes_twice,
        a_stop_and_a_redrive,
        jobs_that_fail_for_the_service_and_redrives,
        permissions_that_are_missing_and_given_back,
        a_partial_success_and_a_new_execution,
        somebody_who_is_suppressed,
        a_new_execution_while_one_is_red,
        a_patient_who_is_forgotten,
    )
}
