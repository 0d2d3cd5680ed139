"""Where things are in the clinical bucket."""


def transcript_key(transcript_id: str) -> str:
    """Where Transcribe Medical is asked to write a transcript."""
    return f"transcripts/{transcript_id}.json"
