"""A stand-in for BigQuery's REST API: tables in memory, jobs, load jobs of Parquet, scripts with one transaction."""
