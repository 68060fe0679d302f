"""`data.format`: a word, or an object that names the class of a format of one's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from bifrost_export.config.models.kinds import load_kind
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LiteralText, Strict
from bifrost_export.fields.suggestions import nearest
from bifrost_export.registry import FORMATS

_TEXTS = ("kind", "default_compression", "content_type")
_METHODS = ("extension", "write")
_ENDING = re.compile(r"(\.[A-Za-z0-9_-]+)+")


class FormatByType(Strict):
    """A format by its type: a word, or the class that writes it."""

    type: LiteralText = Field(description="The word of a format, or package.module:Class.")
    csv_safe: bool = Field(default=False, description="Of csv: the same as data.csv_safe.")


def _form(value: Any) -> str:
    return "an object" if isinstance(value, dict | FormatByType) else "a word"


def _word(value: str | FormatByType) -> str:
    return value.type if isinstance(value, FormatByType) else value


if TYPE_CHECKING:
    FormatName = str
else:
    # Which form is meant is told apart first, so that an error speaks of that one alone.
    FormatName = Annotated[
        Annotated[LiteralText, Tag("a word")] | Annotated[FormatByType, Tag("an object")],
        Discriminator(_form),
        AfterValidator(_word),
    ]
    """The word of a format or `package.module:Class`, in whichever form it is written."""


def format_kind(name: str) -> Any:
    """The class that a format's name stands for.

    Raises:
        ConfigError: There is none, it can't be loaded, or it is no format.
    """
    kind = load_kind(FORMATS, name)
    compressions = getattr(kind, "compressions", None)
    is_format = (
        all(isinstance(getattr(kind, each, None), str) for each in _TEXTS)
        and all(callable(getattr(kind, each, None)) for each in _METHODS)
        and isinstance(compressions, tuple)
        and kind.default_compression in compressions
    )
    if not is_format:
        raise ConfigError(
            f"{name} is no format",
            allowed=f"a class with {', '.join((*_TEXTS, 'compressions', *_METHODS))}, whose default_compression is one"
            " of its compressions",
            hint="Write it like those in bifrost_export.formats; port.py says what each of these is.",
        )
    _check_endings(name, kind)
    return kind


def _check_endings(name: str, kind: Any) -> None:
    """Refuse an ending that would lead a file's name elsewhere, or that can't be told."""
    try:
        endings = [kind().extension(each) for each in kind.compressions]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (an extension may fail or exit, and the other exports have to stand)
        raise ConfigError(
            f"{name} can't tell how its files end: {type(error).__name__}: {error}",
            hint="Mend its extension(), which is asked for each of its compressions.",
        ) from None
    for ending in endings:
        if not isinstance(ending, str) or not _ENDING.fullmatch(ending):
            raise ConfigError(
                f"files of {name} would end in {ending!r}", allowed="a dot with letters, digits, _ and -, or several"
            )


def check_compression(name: str, compression: str | None) -> None:
    """Refuse a compression that a format doesn't have.

    Args:
        name: A format that is known.
        compression: Its compression; none means the format's own.

    Raises:
        ConfigError: It has no such compression.
    """
    known = format_kind(name).compressions
    if compression is not None and compression not in known:
        raise ConfigError(
            f"{name} has no compression {compression!r}",
            allowed=", ".join(known),
            hint=nearest(compression, list(known)),
        )
