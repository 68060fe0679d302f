"""Read ahead: the database works on the next batch while this one is mapped and written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue

import pyarrow as pa

_DONE = object()
_PATIENCE = 0.05


def ahead(batches: Iterator[pa.RecordBatch], depth: int = 2) -> Iterator[pa.RecordBatch]:
    """The same batches, read by a thread of their own, at most `depth` of them before they are asked for.

    When the caller stops early, the thread is waited for before this returns, and `batches` is closed.
    """
    queue: Queue[object] = Queue(depth)
    stopped = threading.Event()

    def put(item: object) -> None:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=_PATIENCE)
                return
            except Full:
                continue

    def read() -> None:
        try:
            for batch in batches:
                put(batch)
                if stopped.is_set():
                    break
            put(_DONE)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the batches are asked for
            put(error)
        finally:
            batches.close()  # type: ignore[attr-defined]

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _DONE:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        _drain(queue)
        thread.join()


def _drain(queue: Queue[object]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
