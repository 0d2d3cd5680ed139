"""Processes what is already in the media bucket: survey, start and progress of a backfill."""
