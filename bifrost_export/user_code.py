"""Load the class or function that a document names as `package.module:name`, where an administrator allows it."""

from __future__ import annotations

from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from bifrost_export import trust
from bifrost_export.errors import ForbiddenCodeError

_DEFINED = (type, FunctionType, BuiltinFunctionType, MethodType)


def load_named(path: str, port: str) -> Any:
    """Return what `package.module:name` of a document stands for.

    Args:
        path: As the document names it.
        port: What it is to be, in one word.

    Raises:
        ForbiddenCodeError: The module matches no pattern of an administrator, or the name leads out of it.
    """
    trust.require_module(path, port)
    module, _, names = path.partition(":")
    found: Any = import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
        home = found.__name__ if isinstance(found, ModuleType) else _home_of(found)
        if isinstance(found, ModuleType) or not _belongs(home, module):
            raise ForbiddenCodeError(
                f"the document names the {port} {path!r}, and {name!r} is not of the module {module!r} but of {home!r}",
                allowed="what the module itself or its own package defines",
                hint="Name the module that defines it.",
            )
    return found


def _home_of(found: Any) -> str | None:
    """The module that defines a function or class; None for what has none of its own."""
    return getattr(found, "__module__", None) if isinstance(found, _DEFINED) else None


def _belongs(home: str | None, module: str) -> bool:
    return home is None or home.partition(".")[0] == module.partition(".")[0] or trust.is_allowed_module(home)
