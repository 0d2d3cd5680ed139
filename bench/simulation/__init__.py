"""The pipeline's own definition and wait policy, run against models of the services in virtual time."""
