"""From documents to entity records: Comprehend Medical's jobs, their outputs, and the records made of them."""
