"""Look up what a `type` or `format` of a document names, also where an installed extension is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from bifrost_export.errors import ConfigError, ForbiddenCodeError, UnknownNameError
from bifrost_export.registry import DESTINATIONS, LOG_STORES, Registry

NOT_YET = {"clickhouse": "the log store clickhouse is not supported"}
"""Log stores of Bifrost that this package can't read, and what is said of them."""


def load_kind(registry: Registry, name: str) -> Any:
    """The class that a name of the document stands for.

    Raises:
        ConfigError: There is none, or the package that brings it can't be imported.
    """
    return _load(registry, name, registry.load)


def _load(registry: Registry, name: str, load: Callable[[str], Any]) -> Any:
    try:
        return load(name)
    except (UnknownNameError, ForbiddenCodeError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 (an extension may fail or exit, and the other exports have to stand)
        raise ConfigError(
            f"the {registry.port} {name!r} can't be loaded: {type(error).__name__}: {error}",
            hint="Mend or remove the package that brings it.",
        ) from None


def config_model(part: str, kind: object) -> type[BaseModel] | None:
    """The model of the `config` beside a `type`.

    Args:
        part: `destination` or `source`.
        kind: What stands in `type`, of any JSON type.

    Returns:
        The model, or None where the type is unknown or broken, which is told at the type.
    """
    if not isinstance(kind, str):
        return None
    try:
        if part == "source":
            return source_model(kind)
        model: type[BaseModel] = load_kind(DESTINATIONS, kind).Config
    except (ConfigError, AttributeError):
        return None
    return model


def source_model(kind: str) -> type[BaseModel]:
    """Return the model of `source.config`. A log store of this package isn't loaded for it; an installed one is.

    Args:
        kind: The log store's `type`.

    Raises:
        UnknownNameError: There is no such log store; the message lists those that there are.
        ConfigError: It can't be loaded, or names no config model.
    """
    try:
        model = _load(LOG_STORES, kind, LOG_STORES.config_model)
    except UnknownNameError as error:
        if kind in NOT_YET:
            raise UnknownNameError(NOT_YET[kind], allowed=error.allowed) from None
        raise
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ConfigError(
            f"the log store {kind!r} can't be used: its class has no config model",
            allowed="a class attribute Config: a subclass of bifrost_export.logstore.source_config.SourceConfig",
            hint="Fix or remove the package that provides it.",
        )
    return model
