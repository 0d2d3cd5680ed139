"""Transcribe Medical's transcripts: words, speakers, seconds, PHI labels, and the text without PHI."""
