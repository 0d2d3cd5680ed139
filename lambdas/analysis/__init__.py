"""The analysis tables: Parquet files by month, made from the records and the transcripts."""
