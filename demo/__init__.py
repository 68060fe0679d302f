"""Two exports from end to end, in a real Airflow, on this machine: what `make demo` and `make ui` run."""
