"""Clean Rooms ML's URLs, for moto."""

from local.services.cleanroomsml.responses import CleanRoomsMLResponse

url_bases = [r"https?://cleanrooms-ml\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/.*$": CleanRoomsMLResponse.dispatch}
