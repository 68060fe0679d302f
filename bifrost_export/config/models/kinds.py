"""Look up what a `type` or `format` of a document names, also where an installed extension is broken."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from bifrost_export.config.sources import SOURCE_CONFIGS
from bifrost_export.errors import ConfigError, ForbiddenCodeError, UnknownNameError
from bifrost_export.registry import DESTINATIONS, Registry


def load_kind(registry: Registry, name: str) -> Any:
    """The class that a name of the document stands for.

    Raises:
        ConfigError: There is none, or the package that brings it can't be imported.
    """
    try:
        return registry.load(name)
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
    if part == "source":
        return SOURCE_CONFIGS.get(kind)
    try:
        model: type[BaseModel] = load_kind(DESTINATIONS, kind).Config
    except (ConfigError, AttributeError):
        return None
    return model
