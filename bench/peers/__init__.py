"""What a good engineer would write without measuring: the other side of each benchmark, run beside ours."""
