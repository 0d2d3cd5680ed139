"""The three services' documented rules for the requests that start their jobs, without clients and environment."""
