"""The page of `make local`: drop recordings, watch executions, read reports, press buttons. It stores nothing."""
