"""`error_logs`: the requests that failed, and why (contract, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.columns import Column
from bifrost_export.datasets.dataset import Dataset
from bifrost_export.datasets.request_logs import RECORD, REQUEST_CONTENT
from bifrost_export.thresholds import ERRORS_FROM

if TYPE_CHECKING:
    import pyarrow as pa

ERROR_TYPE = Column(
    "error_type", "string", False, "Bifrost's class of the error, else the provider's word for it; null when unknown."
)
FALLBACK_INDEX = Column("fallback_index", "int64", False, "0 for the first provider that was asked, 1 for the next.")
STATUS = Column("status", "string", False, "How the request ended: success, error or cancelled.")


def _failed(batch: pa.RecordBatch) -> pa.Array:
    """A status code of an error, or another end than success."""
    import pyarrow.compute as pc

    return pc.or_(
        pc.greater_equal(batch.column("status_code"), ERRORS_FROM),
        pc.fill_null(pc.not_equal(batch.column("status"), "success"), True),
    )


ERROR_LOGS = Dataset(
    "error_logs",
    "1",
    (
        *RECORD,
        ERROR_TYPE,
        Column("error_code", "string", False, "The provider's code of the error."),
        Column("error_message", "string", False, "What the provider or Bifrost said of it."),
        Column("number_of_retries", "int64", False, "How often the same provider was asked again."),
        FALLBACK_INDEX,
    ),
    reads=(STATUS,),
    contents=(REQUEST_CONTENT,),
    takes=_failed,
)
