"""Read ahead: the database works on the next batch while this one is mapped and written."""

from __future__ import annotations

import threading
from collections.abc import Generator
from queue import Empty, Full, Queue
from typing import TypeVar

Item = TypeVar("Item")

_DONE = object()
_PATIENCE = 0.05


def ahead(items: Generator[Item, None, None], depth: int = 2) -> Generator[Item, None, None]:
    """The same items, read by a thread of their own.

    When the caller stops early, the thread is waited for before this returns, and `items` is closed.

    Args:
        items: Batches of rows, or pieces of a slice.
        depth: How many of them may wait before they are asked for, beside one that the thread has in its hand.
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
            for item in items:
                put(item)
                if stopped.is_set():
                    break
            put(_DONE)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the batches are asked for
            put(error)
        finally:
            items.close()

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _DONE:
            if isinstance(item, BaseException):
                raise item
            yield item  # type: ignore[misc]
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
