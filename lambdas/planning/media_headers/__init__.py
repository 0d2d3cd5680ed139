"""Read a recording's format, length, sample rate and channels from a few kilobytes instead of the whole file.

Lambda has no FFmpeg, and no decoder is needed: each container has its length, or the position of its last packet.
PlanBatch works with the limits only: nothing is imported here, so that it starts without the readers.
"""
