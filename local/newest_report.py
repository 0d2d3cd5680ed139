"""Opens the newest report of `make demo`."""

import webbrowser
from pathlib import Path

from operations.errors import OperationError


class ReportError(OperationError):
    """There is no report, or no browser; the text says what to do."""


def open_newest(folder: Path) -> Path:
    """Open the newest batch page below `folder` in the user's browser, and return its path.

    Raises:
        ReportError: there is no page, or no browser.
    """
    pages = sorted(folder.glob("batches/*/report.html"), key=lambda page: page.stat().st_mtime)
    if not pages:
        raise ReportError(f"There is no report in {folder}; make demo writes one.")
    if not webbrowser.open(pages[-1].as_uri()):
        raise ReportError(f"No browser is found; open {pages[-1]} in one, or name yours in BROWSER.")
    return pages[-1]
