"""Holds no Airflow DAG: it fails with what is wrong in the `log_exports` document, so that Airflow's home page says so.

The good exports stand in the other file, which such a failure would hide.
"""

from __future__ import annotations

from bifrost_export.airflow.dag_factory import config_errors
from bifrost_export.errors import ConfigError

if errors := config_errors():
    raise ConfigError("\n".join([f"{len(errors)} problems in the log exports", *errors]))
