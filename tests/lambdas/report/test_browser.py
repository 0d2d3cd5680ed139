"""The pages in a real browser. Without a Chromium on the machine these tests are skipped."""

import wave
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lambdas.report.batch import batch_page
from lambdas.report.labels import CONTEXTS
from lambdas.report.recording import recording_page
from lambdas.shared.state import PlannedRecording
from lambdas.transcript.words import Words
from tests.browser import CHROMIUM, needs_chromium
from tests.lambdas.report import visit
from tests.lambdas.report.test_batch import PLANNED, summary

sync_api = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")

pytestmark = needs_chromium

SILENCE_SECONDS = 20
WINDOW = {"width": 1200, "height": 800}
# What is played is noted; whether a machine without a sound card plays as fast as the clock is not asked.
NOTE_PLAY = """
window.realPlay = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { window.playedFrom = this.currentTime; return Promise.resolve(); };
"""
# Colours of text and ground of everything that shows text of its own, from the cascade, as [r, g, b, a].
COLOURS = """() => {
  const parts = colour => { const n = colour.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || element.closest(".note, .hidden, script, [hidden]") || !element.getClientRects().length) continue;
    let ground = element;
    while (parts(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    for (const pseudo of [null, "::after"]) {
      const style = getComputedStyle(element, pseudo);
      if (pseudo && ["none", "normal"].includes(style.content)) continue;
      found.push([`${element.tagName}.${element.className}${pseudo ?? ""}`,
                  parts(style.color), parts(getComputedStyle(ground).backgroundColor)]);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def desktop(browser: Any) -> Any:
    """A window as on a desk; what a page keeps, it keeps in itself only, so that one will do for all."""
    return browser.new_context(viewport=WINDOW)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced folder: both pages where their keys put them, and the recording beside its page."""
    root = tmp_path_factory.mktemp("synced")
    words = visit.words()
    (root / "reports").mkdir()
    (root / "reports/visit.html").write_text(recording_page(visit.RECORDING, words, visit.records(words), True))
    (root / "batches/drop-1").mkdir(parents=True)
    planned: list[PlannedRecording] = [{**PLANNED[0], "transcript_id": "visit"}]
    (root / "batches/drop-1/report.html").write_text(batch_page(summary(), planned, {"m1"}))
    with wave.open(str(root / "reports/visit.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * SILENCE_SECONDS))
    return root


@pytest.fixture
def opened(browser: Any, desktop: Any, folder: Path) -> Iterator[Callable[..., Any]]:
    """Opens a page of the folder. What it asks for besides itself is in `requested`; no script may fail."""
    contexts: list[Any] = []
    pages: list[Any] = []
    problems: list[str] = []

    def open_page(path: str = "reports/visit.html", **options: Any) -> Any:
        if options:
            contexts.append(browser.new_context(**{"viewport": WINDOW, **options}))
        page = (contexts[-1] if options else desktop).new_page()
        pages.append(page)
        page.add_init_script(NOTE_PLAY)
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{folder.as_uri()}/{path}")
        return page

    yield open_page
    for opened_here in [*pages, *contexts]:
        opened_here.close()
    assert not problems


def wait_for(page: Any, condition: str) -> None:
    """Until the page meets `condition`. Playwright's own waiting compiles it in the page, which the policy forbids."""
    page.evaluate(
        "() => new Promise((met, failed) => { let left = 500; const look = () => "
        f"({condition}) ? met() : left-- ? setTimeout(look, 10) : failed('never met'); look(); }})"
    )


def with_audio(opened: Callable[..., Any]) -> Any:
    page = opened("reports/visit.html?audio=visit.wav")
    wait_for(page, "document.querySelector('#audio').readyState > 0")
    return page


def click_on(page: Any, word: str) -> None:
    """Click in the middle of the first place of `word` in the transcript."""
    box = page.evaluate(
        """word => {
          for (const p of document.querySelectorAll(".turn p")) {
            const walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
              const at = walker.currentNode.data.indexOf(word);
              if (at < 0) continue;
              const range = document.createRange();
              range.setStart(walker.currentNode, at);
              range.setEnd(walker.currentNode, at + word.length);
              const box = range.getBoundingClientRect();
              return [box.left + box.width / 2, box.top + box.height / 2];
            }
          }
        }""",
        word,
    )
    page.mouse.click(*box)


def played_from(page: Any) -> float | None:
    """The second from which the page last asked to play."""
    second: float | None = page.evaluate("window.playedFrom ?? null")
    return second


def details(page: Any) -> list[str]:
    return [text.strip() for text in page.locator("#shown h3").all_text_contents()]


@pytest.mark.parametrize("path", ["reports/visit.html", "batches/drop-1/report.html"])
def test_a_page_asks_for_nothing_but_itself(opened: Callable[..., Any], path: str) -> None:
    page = opened(path)
    assert len(page.requested) == 1


def test_the_batch_leads_to_the_recording_in_a_synced_folder(opened: Callable[..., Any]) -> None:
    page = opened("batches/drop-1/report.html")
    page.get_by_role("link", name="p-1/visit.wav").click()
    assert page.get_by_role("heading", level=1).text_content() == "visit 1.wav"


def test_pointing_at_a_finding_shows_its_details_and_going_on_lets_them_go(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator(".mark", has_text="breast cancer").hover()
    assert details(page) == ["breast cancer family"]
    assert "pertains to family" in page.locator("#shown").text_content()
    page.locator("h1").hover()
    assert details(page) == []


def test_a_mark_of_several_findings_shows_them_all(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator(".mark", has_text="chest pain").hover()
    assert details(page) == ["chest pain", "chest"]


def test_the_tab_key_goes_from_finding_to_finding_and_enter_keeps_the_details(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator(".mark").first.focus()
    assert details(page) == ["Maria Lopez", "Maria"]
    page.keyboard.press("Tab")
    assert details(page) == ["chest pain", "chest"]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert details(page) == ["fever negated"]
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    assert details(page) == ["chest pain", "chest"]
    page.keyboard.press("Escape")
    assert details(page) == []


def test_a_tap_shows_the_details_above_the_text_on_a_phone_until_they_are_closed(opened: Callable[..., Any]) -> None:
    page = opened(viewport={"width": 390, "height": 800}, has_touch=True)
    assert not page.locator("#details").is_visible()
    page.locator(".mark", has_text="lisinopril").tap()
    assert details(page) == ["lisinopril"]
    assert page.locator("#details").is_visible()
    page.get_by_role("button", name="Close").tap()
    assert not page.locator("#details").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_what_was_tapped_is_not_hidden_by_its_own_details(opened: Callable[..., Any], folder: Path) -> None:
    words = visit.words((None, "Well. " * 200 + "I take lisinopril. " + "Well. " * 200))
    html = recording_page(visit.RECORDING, words, [visit.record(words, "lisinopril", "MEDICATION")], True)
    (folder / "reports/long.html").write_text(html)
    page = opened("reports/long.html", viewport={"width": 390, "height": 800}, has_touch=True, reduced_motion="reduce")
    # The first look tells how long the text is.
    for _ in range(2):
        page.evaluate("scrollBy(0, document.querySelector('.mark').getBoundingClientRect().bottom - innerHeight + 20)")
    # By its place: Playwright would scroll to the mark itself.
    mark = page.locator(".mark").bounding_box()
    page.touchscreen.tap(mark["x"] + 5, mark["y"] + 5)
    wait_for(page, "document.querySelector('.mark').ariaPressed")
    mark, sheet = page.locator(".mark").bounding_box(), page.locator("#details").bounding_box()
    assert mark["y"] + mark["height"] <= sheet["y"]


def test_what_the_marks_mean_is_told_on_the_page(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_text("What the marks mean").click()
    told = page.locator(".key").text_content()
    contexts = [context for context in CONTEXTS.values() if context != "negated"]
    assert all(f"“{context}”" in told for context in contexts)
    assert "less than 60 % confidence" in told


def test_a_category_that_is_not_wanted_is_neither_marked_nor_listed_nor_reached(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_role("checkbox", name="Medical condition").uncheck()
    assert page.locator("#transcript").get_by_role("button", name="breast cancer").count() == 0
    assert page.locator("#count").text_content() == "7 of 10 findings"
    assert not page.locator("#findings > .condition").first.is_visible()
    chest = page.locator(".mark", has_text="chest pain")
    chest.hover()
    assert details(page) == ["chest"], "its other category is still wanted"
    page.get_by_role("button", name="None of the categories").click()
    assert page.locator("#transcript [role=button], #transcript [tabindex]").count() == 0
    page.get_by_role("button", name="All categories").click()
    assert page.locator("#transcript [role=button]").count() == page.locator(".mark").count()


def test_unsure_words_are_marked_until_nobody_wants_it(opened: Callable[..., Any]) -> None:
    page = opened()
    style = "getComputedStyle(document.querySelector('#transcript .unsure')).textDecorationLine"
    assert page.evaluate(style) == "underline"
    page.get_by_role("checkbox", name="Unsure words").uncheck()
    assert page.evaluate(style) == "none"


def test_a_click_on_a_word_plays_from_there(opened: Callable[..., Any]) -> None:
    page = with_audio(opened)
    click_on(page, "mother")
    assert played_from(page) == 6.0
    click_on(page, "daily")
    assert played_from(page) == 10.5
    click_on(page, "cancer")
    assert played_from(page) == 7.5, "a word of a finding as any other"
    assert details(page) == ["breast cancer family"]


def test_the_player_really_plays_and_shows_the_word(opened: Callable[..., Any]) -> None:
    page = with_audio(opened)
    page.evaluate("() => { HTMLMediaElement.prototype.play = window.realPlay; }")
    click_on(page, "mother")
    wait_for(page, "document.querySelector('#audio').currentTime > 6 && CSS.highlights.has('playing')")


def test_a_click_beside_the_words_plays_nothing(opened: Callable[..., Any]) -> None:
    page = with_audio(opened)
    box = page.locator(".turn p").last.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] - 4)
    assert played_from(page) is None


def test_the_keyboard_plays_from_a_turn_and_from_a_finding(opened: Callable[..., Any]) -> None:
    page = with_audio(opened)
    page.get_by_role("button", name="Play from 0:13").first.press("Enter")
    assert played_from(page) == 13.0
    page.locator(".mark", has_text="lisinopril").press(" ")
    assert played_from(page) == 9.0


def test_without_a_recording_a_click_plays_nothing_and_no_time_is_a_button(opened: Callable[..., Any]) -> None:
    page = opened()
    click_on(page, "mother")
    assert played_from(page) is None
    assert page.get_by_role("button", name="Play from").first.is_disabled()


def test_a_file_that_was_picked_plays(opened: Callable[..., Any], folder: Path) -> None:
    page = opened()
    page.get_by_text("Listen to the recording").click()
    page.get_by_label("File").set_input_files(folder / "reports/visit.wav")
    wait_for(page, "document.querySelector('#audio').readyState > 0")
    click_on(page, "tomorrow")
    assert played_from(page) == 16.0
    assert all(url.startswith(("file:", "blob:")) for url in page.requested)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://192.0.2.1/a.wav", "data:audio/wav;base64,UklGRg=="])
def test_an_address_that_is_not_safe_is_refused_in_words(opened: Callable[..., Any], address: str) -> None:
    page = opened()
    page.get_by_text("Listen to the recording").click()
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Load").click()
    assert f"“{address}” can't be played." in page.locator("#trouble").text_content()
    assert len(page.requested) == 1


def test_a_file_that_is_no_recording_is_told(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_text("Listen to the recording").click()
    page.get_by_label("File").set_input_files({"name": "a.wav", "mimeType": "audio/wav", "buffer": b"no sound"})
    page.locator("#trouble", has_text="The recording can't be loaded.").wait_for()


def test_a_word_after_letters_beyond_utf16_units_and_line_ends_is_the_right_one(
    opened: Callable[..., Any], folder: Path
) -> None:
    words = visit.words((None, "𝔘𝔫𝔡𝔢𝔯\r\n 😀 <b>bold</b> target word~ end."))
    records = [visit.record(words, "<b>bold</b>"), visit.record(words, "target word")]
    (folder / "reports/odd.html").write_bytes(recording_page(visit.RECORDING, words, records, True).encode())
    page = opened("reports/odd.html?audio=visit.wav")
    wait_for(page, "document.querySelector('#audio').readyState > 0")
    for number, word in enumerate(words.words):
        click_on(page, word.text.strip())
        assert played_from(page) == number * 0.5, word.text


def test_a_transcript_that_is_a_script_is_read_and_not_run(opened: Callable[..., Any], folder: Path) -> None:
    said = "</p></script><script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">"
    words = Words({"results": {"transcripts": [{"transcript": said}]}})
    html = recording_page(visit.RECORDING, words, [visit.record(words, said)], True)
    (folder / "reports/evil.html").write_text(html)
    page = opened("reports/evil.html")
    page.locator(".mark").hover()
    assert details(page) == [said]
    assert page.title() == "Transcript 5f0c-vis"
    assert len(page.requested) == 1


def test_the_policy_stops_a_script_that_is_not_the_page_s_own(browser: Any, folder: Path) -> None:
    html = (folder / "reports/visit.html").read_text()
    (folder / "reports/spoilt.html").write_text(
        html.replace("<header>", "<script>document.title = 'run'</script><header>")
    )
    page = browser.new_page()
    page.goto(f"{folder.as_uri()}/reports/spoilt.html")
    assert page.title() == "Transcript 5f0c-vis"
    page.close()


def luminance(colour: list[float]) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = (
        value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in colour[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["reports/visit.html?audio=visit.wav", "batches/drop-1/report.html"])
def test_all_text_has_the_contrast_of_level_aa(opened: Callable[..., Any], scheme: str, path: str) -> None:
    page = opened(path, color_scheme=scheme)
    if page.locator(".mark").count():
        page.locator(".mark", has_text="lisinopril").click()
    found = page.evaluate(COLOURS)
    assert found
    for name, text, ground in found:
        lighter, darker = sorted((luminance(text), luminance(ground)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (name, text, ground)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (luminance(ground) < 0.1) == (scheme == "dark")


@pytest.mark.parametrize("path", ["reports/visit.html", "batches/drop-1/report.html"])
def test_on_paper_a_page_is_dark_on_white_by_night_too(opened: Callable[..., Any], path: str) -> None:
    page = opened(path, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for name, text, ground in page.evaluate(COLOURS):
        assert luminance(ground) > 0.6 and luminance(text) < 0.3, (name, text, ground)


def test_a_screen_reader_finds_landmarks_headings_and_what_a_mark_means(opened: Callable[..., Any]) -> None:
    page = opened()
    for role in ("banner", "main", "complementary", "contentinfo"):
        assert page.get_by_role(role).count() == 1, role
    assert page.get_by_role("region", name="Recording").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(heading => Number(heading.tagName[1]))")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels[1:]))
    assert page.get_by_role("button", name="No fever (negated; Medical condition)").count() == 1
    assert page.get_by_role("button", name="lisinopril (unsure) (Medication)").count() == 1
    assert page.locator("#details").get_attribute("aria-live") == "polite"
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_first_tab_offers_to_skip_to_the_transcript(opened: Callable[..., Any]) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the transcript"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.mark')")


def test_a_listed_finding_leads_to_its_place_in_the_text(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator("#findings > .procedure").get_by_role("link", name="Show in the text").click()
    assert page.evaluate("document.activeElement.dataset.findings") == "7"
    assert details(page) == ["chest x-ray future"]
