"""A stand-in for Amazon Redshift: PostgreSQL behind a proxy that speaks as Redshift does, and reads COPY's files."""
