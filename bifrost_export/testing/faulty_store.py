"""A store whose n-th call goes wrong, as if its process had been killed there, or its answer had been lost."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.object_store.port import VersionChangedError
from bifrost_export.errors import DestinationUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


class DiedError(BaseException):
    """Stands for `kill -9`: no handler of an exception is meant to see it, and no call gets through after it."""


class Faults:
    """Counts the calls of a store, and breaks one of them.

    Args:
        at: The call, from 1; 0: none.
        dies: Every later call fails, too, as those of a process that is gone.
        after: The call has done its work when it breaks: only its answer is lost.
    """

    def __init__(self, at: int = 0, *, dies: bool = False, after: bool = False) -> None:
        self.at, self.dies, self.after = at, dies, after
        self.calls = 0
        self.is_dead = False
        self.begun: list[Any] = []

    @contextmanager
    def may_die(self) -> Iterator[None]:
        """Let a run die in the block."""
        try:
            yield
        except DiedError:
            self.close_files()

    def close_files(self) -> None:
        """Do what the system does for a process that is gone."""
        for upload in self.begun:
            if stream := getattr(upload, "stream", None):
                stream.close()

    def call(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        """Make a call, or break it."""
        if self.is_dead:
            raise DiedError
        self.calls += 1
        is_now = self.calls == self.at
        if is_now and not self.after:
            self._break(name)
        answer = method(*arguments)
        if name == "begin":
            self.begun.append(answer)
        answer = list(answer) if inspect.isgenerator(answer) or name.startswith("list") else answer
        if is_now:
            if close := getattr(answer, "close", None):
                close()
            self._break(name)
        return Faulty(answer, self) if name == "begin" else answer

    def _break(self, name: str) -> None:
        if self.dies:
            self.is_dead = True
            raise DiedError
        if name == "put_if":
            raise VersionChangedError  # how a store tells that no answer came
        raise DestinationUnavailableError(f"the answer to {name} was lost", hint="Try again.")


class Faulty:
    """A store, or an upload to it, whose calls pass by `faults`.

    Args:
        inner: The store or upload.
        faults: What goes wrong.
    """

    def __init__(self, inner: Any, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name == "locked":
            return found
        return lambda *arguments: self._faults.call(name, found, *arguments)
