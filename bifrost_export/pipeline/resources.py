"""Open what a plan names: references are resolved here, in the task that needs them, and nowhere else."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from bifrost_export import datasets
from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.models.kinds import load_kind, source_model
from bifrost_export.config.models.staging import ENCRYPTED
from bifrost_export.config.models.staging import Staging as StagingConfig
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.config.source import find_source, guard_host, place_of_object_storage
from bifrost_export.destinations.object_store.keys import RESOLVED
from bifrost_export.destinations.port import Destination, Target
from bifrost_export.errors import ConfigError, LogStoreChangedError, PermanentError
from bifrost_export.fields.markers import Strict
from bifrost_export.fields.pointer import pointer_of
from bifrost_export.logstore.inspection import with_defaults
from bifrost_export.pipeline.encoding import encoding_of
from bifrost_export.pipeline.flows import flow
from bifrost_export.pipeline.staging import Staging
from bifrost_export.registry import DESTINATIONS, LOG_STORES
from bifrost_export.window import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from bifrost_export.logstore.inspection import OpenLogStore
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


_READS = 4
"""How often a log store is read that somebody changes meanwhile."""
_LAG = dt.timedelta(minutes=1)
Answer = TypeVar("Answer")


def resolver(runtime: Runtime, plan: Plan, *, with_secrets: bool = True) -> Resolver:
    """The references of a run; without secrets, theirs stay text."""
    document = Path(plan.frozen["document"])
    return Resolver(
        environ=runtime.environ,
        builtins=plan.builtins,
        document=document,
        on_secret=runtime.on_secret,
        with_secrets=with_secrets,
        origins=Origins(plan.frozen.get("moved")),
        bundle=runtime.bundle_of(document),
    )


def _validated(model: type[BaseModel], config: Any, pointer: str, plan: Plan) -> Any:
    try:
        validated = model.model_validate(config, strict=False, context=RESOLVED)
    except ValidationError as error:
        origins = Origins(plan.frozen.get("moved"))
        places = "; ".join(
            f"{origins.written(pointer + pointer_of(*each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ConfigError(f"with its references resolved, {places}", hint="Mend the referenced variable.") from None
    if isinstance(validated, Strict):
        for _, refused in validated.refused():
            raise refused
    return validated


def open_destination(runtime: Runtime, plan: Plan, *, with_secrets: bool = True) -> Destination:
    """The destination, opened for the run; it signs in when it is first asked for something.

    Args:
        runtime: The surroundings.
        plan: The run's plan, or a draft of it.
        with_secrets: Resolve secrets too; without, it can't sign in, and tells its names all the same.

    Raises:
        MissingReferenceError: A reference has no value.
        ConfigError: A resolved value is not allowed in its place.
    """
    destination = plan.export.destination
    kind = DESTINATIONS.load(destination.type)
    pointer = f"{plan.frozen['pointer']}/destination/config"
    references = resolver(runtime, plan, with_secrets=with_secrets)
    resolved = references.resolve(destination.config, kind.Config, pointer)
    config = _validated(kind.Config, resolved, pointer, plan)
    encoding = encoding_of(plan.export)
    target = Target(
        export=plan.export.name,
        window=plan.window,
        token=plan.token,
        timezone=plan.export.schedule.timezone,
        datasets=plan.datasets,
        extension=encoding.format.extension(encoding.compression),
        content_type=encoding.format.content_type,
        columns={dataset: flow(plan, dataset).result for dataset in plan.datasets},
        known_datasets=tuple(datasets.names()),
    )
    opened: Destination = kind(config, target)
    return opened


def open_log_store(runtime: Runtime, plan: Plan) -> OpenLogStore:
    """The log store that the plan names, read-only.

    Raises:
        ConfigError: None of the five places names one.
        LogStoreError: It can't be opened.
    """
    references = resolver(runtime, plan)
    type_, config = find_source(plan.frozen, references, runtime.get_connection)
    kind = with_defaults(load_kind(LOG_STORES, type_))
    validated: Any = _validated(source_model(type_), config, "/source/config", plan)
    if (storage := getattr(validated, "object_storage", None)) is not None:
        storage.stands_at(place_of_object_storage(plan.frozen))
    guard_host(plan.frozen, validated, references)
    opened: OpenLogStore = kind(validated)
    return opened


def with_log_store(runtime: Runtime, plan: Plan, ask: Callable[[OpenLogStore], Answer]) -> Answer:
    """Open the log store, ask it, and close it; ask once more where it was changed under the answer.

    Args:
        runtime: The surroundings.
        plan: The run's plan, or a draft of it.
        ask: Asks; what it did before it failed must not matter.

    Raises:
        ConfigError: None of the five places names one.
        LogStoreError: It can't be opened.
        LogStoreBusyError: It lags behind its original, is busy, or was changed again and again.
    """
    for rest in reversed(range(_READS)):
        try:
            with closing(open_log_store(runtime, plan)) as log_store:
                log_store.caught_up(needed_until(plan))
                return ask(log_store)
        except LogStoreChangedError:
            if not rest:
                raise
    raise AssertionError  # the last read returns or raises


def typed(runtime: Runtime, plan: Plan) -> Plan:
    """Return the plan with the types of extra fields that only the log store knows.

    Raises:
        LogStoreError: The log store lacks one of them, or can't be opened.
    """
    unknown = plan.export.data.unknown_fields
    if not unknown:
        return plan
    types = with_log_store(runtime, plan, lambda log_store: log_store.column_types(unknown))
    return replace(plan, extra_types=types)


def needed_until(plan: Plan) -> dt.datetime:
    """Up to when the log store must hold what was written to it: the window has settled then.

    A run that is forced takes what is there when it is planned; a standby is never quite there.
    """
    settled, planned = plan.window.end + plan.export.schedule.settle_delta, parse_instant(plan.export_timestamp)
    return settled if settled <= planned else planned - _LAG


def staging_url(runtime: Runtime, plan: Plan) -> str:
    """`log_exports.staging.url` with its references resolved, or the default of the contract's section 10.

    Raises:
        PermanentError: It isn't set, and this machine has no folder for temporary files.
    """
    given = plan.frozen.get("staging") or {}
    resolved = resolver(runtime, plan).resolve(given, StagingConfig, "/log_exports/staging")
    if resolved.get("url"):
        return str(resolved["url"])
    home = runtime.environ.get("AIRFLOW_HOME")
    if home:
        return Path(home).expanduser().absolute().joinpath("bifrost_staging").as_uri()
    try:
        return Path(tempfile.gettempdir(), f"bifrost-export-{os.getuid()}").as_uri()
    except OSError as error:
        raise PermanentError(
            f"there is no folder to stage rows in: {error.strerror or error}",
            allowed="file:///folder, or an object store such as s3://bucket/prefix",
            hint="Set log_exports.staging.url.",
        ) from None


def open_staging(runtime: Runtime, plan: Plan) -> Staging:
    """The staging folder of the run."""
    name = f"{plan.export.name}/{plan.window.name}__{plan.token}"
    written = plan.frozen.get("staging") or {}
    keys = {key: written[key] for key in ENCRYPTED if written.get(key)}
    encryption = resolver(runtime, plan).resolve(keys, StagingConfig, "/log_exports/staging")
    given = plan.staging
    shared = bool(given.get("shared"))
    return Staging(given["url"], given.get("conn_id"), name, given["host"], encryption, shared=shared)
