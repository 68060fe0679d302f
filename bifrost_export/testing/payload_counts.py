"""Counts of offloaded payloads as a manifest records them."""

from __future__ import annotations


def counted(read: int, gone: int) -> tuple[dict[str, int], dict[str, dict[str, dict[str, int]]]]:
    """What a manifest records of log rows that needed their payload: `offloaded` of a dataset, and `payloads`.

    Args:
        read: Rows whose payload was read.
        gone: Rows whose payload is gone.
    """
    rows = {"completed": read, "gone": gone, "broken": 0, "skipped": 0}
    return rows, {"logs": {"input_history": rows}}
