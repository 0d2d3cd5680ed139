"""Comprehend Medical's URLs, for moto."""

from local.services.comprehendmedical.responses import ComprehendMedicalResponse

url_bases = [r"https?://comprehendmedical\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": ComprehendMedicalResponse.dispatch}
