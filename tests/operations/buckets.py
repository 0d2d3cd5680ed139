"""The buckets of an environment that nothing has deployed."""

from lambdas.searching.categories import Buckets

BUCKETS = Buckets("media", "clinical", "audience", "operations", "logs")
