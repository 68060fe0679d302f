"""Keep secrets and control characters out of logs, messages and pages."""
