"""From documents to entity records: Comprehend Medical's jobs, their outputs, and what those come to."""
