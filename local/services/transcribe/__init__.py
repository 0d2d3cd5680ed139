"""Amazon Transcribe with medical transcription jobs that really run, as a moto service."""

from .models import transcribe_backends as transcribe_backends
