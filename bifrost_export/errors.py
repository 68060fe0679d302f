"""Every error that this package raises on purpose, in one tree, split by what the caller does next.

    BifrostExportError
    ├── ConfigError (ValueError)          the input is wrong: exit code 2, a task fails at once
    │   ├── DocumentError                 problems in a `log_exports` document, all of them
    │   ├── UnknownExportError            no export of that name
    │   ├── UnknownNameError              a log store, format, transform or destination that isn't registered
    │   ├── MissingReferenceError         a `${NAME}` without a value
    │   ├── ForbiddenReferenceError       a `${NAME}` that may not be named in that place
    │   ├── ForbiddenCodeError            a document names code that no administrator allows
    │   ├── UntrustedHostError            a host that would get a secret, and that nobody vouches for
    │   ├── PolicyRefusalError            a cluster policy of Airflow refuses an export's DAG
    │   │   └── PolicySkipError           a cluster policy leaves an export's DAG out without an error
    │   └── WindowError                   turned round, half given, not settled, unreadable
    ├── PermanentError (RuntimeError)     a retry can't help: exit code 1, a task fails at once
    │   ├── LogStoreError                 the log store is missing, or can't be read
    │   │   └── NoLogStoreError           a database was reached, but it is no log store of Bifrost
    │   ├── DestinationError              credentials, bucket or path are refused or missing
    │   │   └── CredentialsRefusedError   the destination answers, and does not know who asks
    │   ├── TransformError                a transformation fails, or gives other columns than it says
    │   ├── FormatError                   a row or a column can't be written in the format
    │   ├── StagingGoneError              staging of this run is not there any more
    │   ├── StagingChangedError           a staged file has other bytes than its task wrote
    │   ├── PlanMismatchError             what a task was given is not what the plan says
    │   ├── BooksError                    the books don't balance
    │   ├── RejectedRowsError             more rows were rejected than `max_rejected` allows
    │   ├── OverlapError                  a published window overlaps this one
    │   ├── ShrunkWindowError             the log store holds fewer rows of a window than were published
    │   ├── OtherLogStoreError            a window was published from another log store
    │   └── LostCommitError               another run has published this window meanwhile
    └── PassingError (OSError)            worth a retry: exit code 1, a task tries again
        ├── LogStoreBusyError             the log store is locked or went away
        │   └── LogStoreChangedError      a file that nobody had open was written to while it was read
        └── DestinationUnavailableError   throttled, timed out, connection lost

A message says what happened, the value, what is allowed and what to do next. It never holds a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bifrost_export.problem import Problem


class BifrostExportError(Exception):
    """The root of the tree.

    Args:
        message: What happened, with the value that caused it.
        allowed: What is allowed in its place, when that can be said.
        hint: What to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, allowed: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.allowed = allowed
        self.hint = hint

    def __str__(self) -> str:
        """One sentence each for what happened, what is allowed and what to do."""
        parts = [self.message]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}.")
        if self.hint:
            parts.append(self.hint)
        return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling, which Airflow does to task errors, with all attributes."""
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[BifrostExportError], attributes: dict[str, object]) -> BifrostExportError:
    error = kind.__new__(kind, attributes.get("message"))
    error.__dict__.update(attributes)
    return error


class ConfigError(BifrostExportError, ValueError):
    """The input is wrong, and only a person can mend it."""

    exit_code = 2


class DocumentError(ConfigError):
    """A document has problems; `problems` holds every one of them.

    Args:
        problems: The problems, in the order of their places in the document.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __str__(self) -> str:
        """The problems, one a paragraph."""
        return self.message


class UnknownExportError(ConfigError):
    """There is no export of that name."""


class UnknownNameError(ConfigError):
    """A log store, format, transform or destination of that name isn't registered."""


class MissingReferenceError(ConfigError):
    """A reference such as `${NAME}` has no value where the task runs."""


class ForbiddenReferenceError(ConfigError):
    """A reference names a variable that may not be read in that place."""


class ForbiddenCodeError(ConfigError):
    """A document names code that no administrator allows it to name."""


class UntrustedHostError(ConfigError):
    """A host that the document names would receive a secret in clear, and nobody else vouches for it."""


class PolicyRefusalError(ConfigError):
    """A cluster policy of Airflow refuses an export's DAG."""


class PolicySkipError(PolicyRefusalError):
    """A cluster policy of Airflow leaves an export's DAG out without an error."""


class PrefixError(ConfigError):
    """A prefix that can't be used, whatever the references in it stand for."""


class WindowError(ConfigError):
    """A window is turned round, half given, unreadable, or has not settled."""


class PermanentError(BifrostExportError, RuntimeError):
    """A fault that a retry can't mend."""


class LogStoreError(PermanentError):
    """The log store is missing, is not a log store, or can't be read."""


class NoLogStoreError(LogStoreError):
    """A database was reached, but it has no table `logs`, or one without the columns that all log stores have."""


class DestinationError(PermanentError):
    """The destination refuses the credentials, or lacks the bucket, container, table or path."""


class ForeignManifestError(DestinationError):
    """What stands under a manifest's name is none of this export: broken, too large, or of another export."""


class CredentialsRefusedError(DestinationError):
    """The destination answers, and does not know the credentials, or they have run out."""


class FormatError(PermanentError):
    """A value or a column's type can't be written in the export's format."""


class TransformError(PermanentError):
    """A transformation can't be imported, fails, or gives rows of other columns than it says."""


class StagingGoneError(PermanentError):
    """The staged files of this run are not where the run left them."""


class StagingChangedError(PermanentError):
    """A staged file has other bytes than the task wrote that staged it."""


class PlanMismatchError(PermanentError):
    """A task was given something else than the plan says."""


class BooksError(PermanentError):
    """Rows, tokens or cost differ between two stages of a run."""


class RejectedRowsError(PermanentError):
    """More rows were rejected than `max_rejected` allows."""


class OverlapError(PermanentError):
    """A published window of this export overlaps the run's window without being equal to it."""


class ShrunkWindowError(PermanentError):
    """The log store holds fewer rows of a window than were published."""


class OtherLogStoreError(PermanentError):
    """A window was published from another log store than the run reads."""


class LostCommitError(PermanentError):
    """Another run has published this window since this run's `plan`."""


class PassingError(BifrostExportError, OSError):
    """A fault that is likely to pass."""


class LogStoreBusyError(PassingError):
    """The log store is locked, or its connection was lost."""


class LogStoreChangedError(LogStoreBusyError):
    """The log store was read as a file at rest, and somebody wrote to it meanwhile: what was read is worthless."""


class DestinationUnavailableError(PassingError):
    """The destination throttles, times out or dropped the connection."""
