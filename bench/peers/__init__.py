"""The peers of the benchmarks: good code without optimization, run beside ours."""
