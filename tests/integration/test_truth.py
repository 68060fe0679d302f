"""Log stores that Bifrost's own code has written: every exported value agrees with what is true of its row."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.config.log_columns import LOG_COLUMNS
from bifrost_export.config.postgres_source import from_address
from bifrost_export.pipeline.plan import PlanRequest
from bifrost_export.pipeline.run import run
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.testing import postgres_store as in_postgres
from bifrost_export.window import UTC
from tests import bifrost_stores
from tests.bifrost_stores import NAMES, WINDOW, Name
from tests.independent import COLUMNS, KNOWN, LEGACY, repaired
from tests.integration.exports import Export
from tests.integration.published import Truth

ALL = ("request_logs", "response_logs", "error_logs", "metrics", "traces")
LATER = dt.datetime(2026, 12, 1, tzinfo=UTC)
HOUR = 3_600
INT32 = range(-(2**31), 2**31)
