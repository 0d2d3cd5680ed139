"""What the three services document about the requests that start their jobs: no client, no environment variables."""
