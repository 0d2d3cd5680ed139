"""The browser of the machine, for tests of pages: any Chromium, or Google Chrome."""

import shutil

import pytest

# The last one may be Ubuntu's script that only tells to install another package.
NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chrome", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason=f"there is no Chromium: none of {', '.join(NAMES)} is on the PATH (Debian: apt-get install chromium)",
)
