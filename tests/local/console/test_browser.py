"""The console in a real browser, over the whole pipeline. Without a Chromium on the machine these tests are skipped."""

import base64
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from local.console.serving import serving
from local.pipeline import start_pipeline
from local.ports import listen
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from operations.deployed import find
from tests.browser import CHROMIUM, needs_chromium
from tests.lambdas.report.test_browser import COLOURS, WINDOW, luminance
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import PATIENCE_SECONDS, Engines, Run

sync_api = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
pytestmark = needs_chromium

ODD_NAME = "<img src=x onerror=\"document.title='run'\">.wav"
# Like the operating system's file manager, except the pointer.
DROP = """([name, content]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(content), letter => letter.charCodeAt(0))], name));
  for (const type of ["dragenter", "dragover", "drop"]) {
    document.querySelector("#zone").dispatchEvent(
      new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
  }
}"""


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    engines = Engines()
    pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcription_models, "engine", engines.transcribe)
        patch.setattr(entity_jobs, "engine", engines.detect)
        yield Run(pipeline, engines)
        pipeline.aws.stop()


@pytest.fixture(scope="module")
def url(run: Run) -> Iterator[str]:
    with serving(find("local", run.pipeline.aws.endpoint), listen(0, "the console")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any, url: str, run: Run) -> Iterator[Any]:
    """The console's page. No script may fail, and no request may go elsewhere."""
    context = browser.new_context(viewport=WINDOW, reduced_motion="reduce")
    # The tests wait for executions, on busy machines.
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    opened, problems, requested = context.new_page(), [], []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    context.on("request", lambda request: requested.append(request.url))
    opened.goto(url)
    yield opened
    run.pipeline.aws.faults.clear()
    run.until(lambda: all(execution["status"] != "RUNNING" for execution in run.executions()))
    context.close()
    assert not problems
    assert all(address.startswith((url, "data:", "blob:")) for address in requested), requested


def drop(page: Any, name: str, body: bytes) -> None:
    page.evaluate(DROP, [name, base64.b64encode(body).decode()])


def card(page: Any, title: str) -> Any:
    """The newest execution with that title."""
    return page.locator(".execution").filter(has=page.get_by_role("heading", name=title, exact=True)).first


def has_focus(locator: Any) -> bool:
    focused: bool = locator.evaluate("element => element === document.activeElement")
    return focused


def advance_generation(page: Any) -> None:
    """Make the page refresh twice at once, without waiting for its timer."""
    for _ in range(2):
        with page.expect_response(lambda response: response.url.endswith("/executions")):
            page.evaluate("document.dispatchEvent(new Event('pressed'))")


def check_contrast(page: Any) -> None:
    """WCAG 2.2, level AA, by day and by night."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = page.evaluate(COLOURS)
        assert found
        for name, text, ground in found:
            lighter, darker = sorted((luminance(text), luminance(ground)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, name, text, ground)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (luminance(ground) < 0.1) == (scheme == "dark")


def test_a_dropped_recording_becomes_an_execution_whose_report_opens_and_plays(page: Any, run: Run) -> None:
    drop(page, ODD_NAME, run.engines.recording("Patient has asthma."))
    assert has_focus(page.get_by_label("User id of the patient")), "what is still to be said"
    assert not page.get_by_role("checkbox", name="The patient consents to audiences").is_checked()
    page.keyboard.type("p-dropped")
    page.keyboard.press("Enter")
    row = page.get_by_role("list", name="Chosen recordings").get_by_role("listitem")
    row.filter(has_text="uploaded for p-dropped, without consent to audiences").wait_for()
    assert ODD_NAME in row.text_content()
    assert page.get_by_label("User id of the patient").input_value() == "", "the next one may be somebody else's"

    execution = card(page, f"p-dropped/{ODD_NAME}")
    execution.get_by_text("finished", exact=True).wait_for()
    assert execution.locator(".counts").text_content() == "1 recording: 1 transcribed"
    states = execution.get_by_role("list", name="Stages").get_by_role("listitem").all_text_contents()
    assert [state.split()[0] for state in states][:3] == ["Plan", "Wait", "Transcribe"] and ": done" in states[2]
    head = run.s3.head_object(Bucket=run.pipeline.media_bucket, Key=f"media/p-dropped/{ODD_NAME}")
    assert head["Metadata"] == {}

    with page.expect_popup() as opening:
        execution.get_by_role("link", name="Open report").click()
    report = opening.value
    report.get_by_role("link", name=ODD_NAME).click()
    report.get_by_role("heading", level=1, name=ODD_NAME).wait_for()
    assert report.evaluate("window.origin") == "null", "it is a stranger to the console"
    assert "p-dropped" not in report.url and "img" not in report.url, "histories keep addresses"
    report.wait_for_load_state("load")
    audio = report.locator("audio")
    assert audio.evaluate(
        "audio => audio.readyState || new Promise(met => audio.addEventListener('loadedmetadata', () => met(1)))"
    )
    assert audio.evaluate("audio => audio.duration") == 1.0
    assert {page.title(), report.title()} == {"Clinical media console", report.title()}


def test_a_failed_execution_says_what_to_press_and_goes_on_when_it_is_pressed(page: Any, run: Run) -> None:
    fault = run.pipeline.aws.faults.inject(
        "comprehendmedical", "StartEntitiesDetectionV2Job", "access_denied", times=99
    )
    run.drop("media/p-failed/visit.wav", run.engines.recording("Patient has fever."))
    execution = card(page, "p-failed/visit.wav")
    execution.get_by_text("failed", exact=True).wait_for()
    assert fault.fired
    told = execution.locator(".trouble").text_content()
    assert "StartEntityDetection: " in told and "Injected by the local AWS: access_denied" in told
    assert "What to press: Repair what the cause names, then: Redrive." in told
    assert "p-failed/visit.wav: failed in Detect entities." in page.get_by_role("status").text_content()
    check_contrast(page)

    run.pipeline.aws.faults.clear()
    redrive = execution.get_by_role("button", name="Redrive")
    redrive.focus()
    advance_generation(page)
    assert has_focus(redrive), "looking again and again takes nobody's place"
    page.keyboard.press("Enter")
    execution.get_by_text("finished", exact=True).wait_for()
    assert execution.locator(".redrives").text_content() == "redriven once"
    assert execution.locator(".trouble").is_hidden() and redrive.is_hidden()
    assert has_focus(execution.get_by_role("heading", level=3)), "where the button was"

    name = execution.locator("code.name").text_content()
    execution.get_by_role("button", name="Start again").click()
    page.locator(f".execution:not(:has(code:text-is('{name}')))", has_text="p-failed/visit.wav").get_by_text(
        "finished", exact=True
    ).wait_for()
    assert (
        card(page, "p-failed/visit.wav").locator(".counts").text_content() == "1 recording: 1 reused: finished before"
    )


def test_what_can_not_be_uploaded_is_told_beside_it_and_can_be_put_right(page: Any, run: Run) -> None:
    upload, user_id = page.get_by_role("button", name="Upload"), page.get_by_label("User id of the patient")
    problem = page.locator("#problem")
    page.evaluate("DataTransferItem.prototype.webkitGetAsEntry = () => ({isDirectory: true, name: 'visits'})")
    drop(page, "visits", b"")
    assert problem.text_content() == "visits is a folder; drop the recordings that are in it."
    assert page.locator(".file").count() == 0
    upload.click()
    assert problem.text_content() == "Choose recordings, or drop them on the page."
    page.locator("#files").set_input_files(
        [
            {"name": "empty.wav", "mimeType": "audio/wav", "buffer": b""},
            {"name": "notes.docx", "mimeType": "x/y", "buffer": b"x"},
            {"name": "visit.wav", "mimeType": "audio/wav", "buffer": run.engines.recording("No fever.")},
        ]
    )
    upload.click()
    assert problem.text_content() == "Whose recordings are they? Give the patient's user id, a pseudonym."
    assert has_focus(user_id) and user_id.get_attribute("aria-invalid") == "true"
    user_id.fill("p/wrong")
    upload.click()
    problem.filter(has_text="3 recordings refused; the list says why.").wait_for()
    rows = page.locator(".file .state").all_text_contents()
    assert all(row.startswith("The user id is 'p/wrong', but a user id has no slash") for row in rows)
    user_id.fill("p-right")
    page.get_by_role("checkbox").check()
    upload.click()
    problem.filter(has_text="2 recordings refused; the list says why.").wait_for()
    empty, notes, visit = page.locator(".file .state").all_text_contents()
    assert empty == "empty.wav is empty (0 bytes); record it again."
    assert notes.startswith("notes.docx ends in 'docx'; Transcribe Medical takes amr,")
    assert visit == "uploaded for p-right, with consent to audiences"
    page.get_by_role("button", name="Remove empty.wav").click()
    assert page.locator(".file").count() == 2
    assert has_focus(page.get_by_role("button", name="Choose files"))
    head = run.s3.head_object(Bucket=run.pipeline.media_bucket, Key="media/p-right/visit.wav")
    assert head["Metadata"] == {"audience-consent": "true"}


def test_a_rejected_recording_is_told_with_its_reason(page: Any, run: Run) -> None:
    run.drop("media/p-rejected/broken.wav", b"no sound")
    execution = card(page, "p-rejected/broken.wav")
    execution.get_by_text("finished", exact=True).wait_for()
    assert execution.locator(".counts").text_content() == "1 recording: 1 rejected"
    execution.get_by_text("1 recording rejected, and why").click()
    shown = execution.locator(".rejected li")
    assert shown.is_visible() and shown.locator(".reason").text_content()
    advance_generation(page)
    assert shown.is_visible(), "what was opened stays open"


def test_it_is_made_for_keyboards_screen_readers_and_phones(page: Any) -> None:
    for role in ("banner", "main", "contentinfo", "status"):
        assert page.get_by_role(role).count() == 1, role
    for name in ("Recordings of one patient", "Executions"):
        assert page.get_by_role("region", name=name).count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(heading => Number(heading.tagName[1]))")
    assert levels.count(1) == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('input')].every(one => one.labels.length || one.ariaLabel)")
    assert page.locator("html").get_attribute("lang") == "en"
    stops = []
    for _ in range(5):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert stops == ["skip", "choose", "user-id", "consent", "upload"]
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_a_console_that_has_gone_is_told_until_it_is_back(page: Any, url: str) -> None:
    page.route(f"{url}executions*", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('pressed'))")
    page.get_by_role("alert").filter(has_text="The local AWS doesn't answer; is `make local` still running?").wait_for()
    page.unroute(f"{url}executions*")
    page.locator("#lost").wait_for(state="hidden")
