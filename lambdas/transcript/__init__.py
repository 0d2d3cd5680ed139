"""What Transcribe Medical heard: words, speakers, seconds, PHI labels, and the text without PHI."""
