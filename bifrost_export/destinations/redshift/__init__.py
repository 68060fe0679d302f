"""Amazon Redshift: clusters and serverless workgroups."""
