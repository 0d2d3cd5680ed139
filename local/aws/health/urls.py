"""Where moto finds AWS Health; a client without a Region of its own asks the one of the global endpoint."""

from local.aws.health.responses import HealthResponse

url_bases = [r"https?://health\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": HealthResponse.dispatch}
