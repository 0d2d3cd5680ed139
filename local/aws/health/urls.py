"""AWS Health's URLs; a client without a Region uses that of the global endpoint."""

from local.aws.health.responses import HealthResponse

url_bases = [r"https?://health\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": HealthResponse.dispatch}
