"""A digest of rows by their values and order, whatever encoded them, and however they came in batches.

Each column is told as up to three streams over all of its rows: the places of its nulls, the lengths of its values
where they vary, and the bytes of the values that aren't null. Streams don't know where a batch ends.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

VERSION = "v1"
"""Stands before each digest: digests of two versions say nothing about each other."""


class ContentDigest:
    """Takes in batches of one schema.

    Args:
        schema: Of the rows; a column's place, name and type are told, its metadata is not.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = [(field.name, _Column(_stored(field.type))) for field in schema]
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        for index, (_, column) in enumerate(self._columns):
            column.add(batch.column(index), self._rows)
        self._rows += batch.num_rows

    def hex(self) -> str:
        """`v1:` and 64 hex digits."""
        whole = hashlib.sha256(f"{VERSION} {self._rows} {len(self._columns)}\n".encode())
        for name, column in self._columns:
            encoded = name.encode()
            whole.update(b"%d:%b" % (len(encoded), encoded))
            whole.update(column.digest())
        return f"{VERSION}:{whole.hexdigest()}"


class LinesDigest:
    """The digest of a file of lines, by the lines themselves."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256(f"{VERSION} lines\n".encode())

    def add(self, line: bytes) -> None:
        """Take in the next line."""
        self._whole.update(line)

    def hex(self) -> str:
        """`v1:` and 64 hex digits."""
        return f"{VERSION}:{self._whole.hexdigest()}"


def _stored(type_: pa.DataType) -> pa.DataType:
    """The type of the values themselves: how they are packed doesn't matter."""
    if isinstance(type_, pa.BaseExtensionType):
        return _stored(type_.storage_type)
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return _stored(type_.value_type)
    return type_


def _packed_as(type_: pa.DataType) -> tuple[str, pa.DataType | None]:
    """The name of a plain type, and the type that its values are hashed as; None where it isn't plain."""
    types = pa.types
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text", pa.large_binary()
    if types.is_binary(type_) or types.is_large_binary(type_) or types.is_binary_view(type_):
        return "bytes", pa.large_binary()
    if types.is_boolean(type_):
        return "bool", pa.uint8()
    if types.is_float16(type_) or types.is_float32(type_) or types.is_float64(type_):
        return str(type_), type_
    if types.is_timestamp(type_):
        return f"timestamp {type_.unit} {'local' if type_.tz is None else 'utc'}", pa.int64()
    if types.is_integer(type_):
        return str(type_), type_
    if types.is_date32(type_) or types.is_time32(type_):
        return str(type_), pa.int32()
    if types.is_date64(type_) or types.is_time64(type_) or types.is_duration(type_):
        return str(type_), pa.int64()
    return str(type_), None


class _Column:
    """The streams of one column, or of what is nested in it."""

    def __init__(self, type_: pa.DataType) -> None:
        self.type = type_
        self.name, self.packed = _packed_as(type_)
        self.nulls, self.lengths, self.values = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self.children: list[tuple[str, _Column, int]] = []
        if self.packed is None and pa.types.is_struct(type_):
            self.name = "struct"
            self.children = [(field.name, _Column(_stored(field.type)), 0) for field in type_]
        elif self.packed is None and (pa.types.is_list(type_) or pa.types.is_large_list(type_)):
            self.name = "list"
            self.children = [("", _Column(_stored(type_.value_type)), 0)]

    def digest(self) -> bytes:
        """Of all streams, behind the type's name."""
        whole = hashlib.sha256(b"%b\n" % self.name.encode())
        for stream in (self.nulls, self.lengths, self.values):
            whole.update(stream.digest())
        for name, child, _ in self.children:
            encoded = name.encode()
            whole.update(b"%d:%b" % (len(encoded), encoded))
            whole.update(child.digest())
        return whole.digest()

    def add(self, array: Any, before: int) -> None:
        """Take in the next values.

        Args:
            array: Of any packing.
            before: So many values of the column came before it.
        """
        array = _unpacked(array)
        if array.null_count:
            places = np.flatnonzero(pc.is_null(array).to_numpy(zero_copy_only=False)) + before
            self.nulls.update(places.astype("<i8").tobytes())
            array = array.drop_null()
        if not len(array):
            return
        if self.packed is None:
            self._add_nested(array)
        elif self.packed == pa.large_binary():
            self._add_bytes(array)
        else:
            self.values.update(_fixed(array, self.packed))

    def _add_bytes(self, array: Any) -> None:
        small = pa.types.is_string(array.type) or pa.types.is_binary(array.type)
        _, offsets, data = array.buffers()
        edges = np.frombuffer(offsets, "<i4" if small else "<i8")[array.offset : array.offset + len(array) + 1]
        self.lengths.update(np.diff(edges).astype("<u4").tobytes())
        if data is not None:
            self.values.update(memoryview(data)[int(edges[0]) : int(edges[-1])])

    def _add_nested(self, array: Any) -> None:
        if self.name == "struct":
            parts = array.flatten()
        elif self.name == "list":
            self.lengths.update(pc.list_value_length(array).to_numpy(zero_copy_only=False).astype("<i8").tobytes())
            parts = [array.flatten()]
        else:  # maps, decimals, unions: rare, and told by their text
            for value in array.to_pylist():
                text = repr(value).encode("utf-8", "surrogatepass")
                self.values.update(b"%d:%b" % (len(text), text))
            return
        for index, part in enumerate(parts):
            name, child, before = self.children[index]
            child.add(part, before)
            self.children[index] = (name, child, before + len(part))


def _unpacked(array: Any) -> Any:
    """The values as they are, whether they were packed in an extension, a dictionary or runs."""
    if isinstance(array, pa.ExtensionArray):
        return _unpacked(array.storage)
    if pa.types.is_dictionary(array.type):
        return _unpacked(array.dictionary_decode())
    if pa.types.is_run_end_encoded(array.type):
        return _unpacked(pc.run_end_decode(array))
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.large_binary())
    return array


def _fixed(array: Any, packed: pa.DataType) -> Any:
    """The bytes of values of one width, one after the other."""
    if pa.types.is_floating(packed):
        values = np.array(array.to_numpy(zero_copy_only=False), copy=True)
        values += 0.0  # -0.0 is 0.0
        values[np.isnan(values)] = np.nan
        return values.astype(values.dtype.newbyteorder("<"), copy=False)
    if array.type == packed:
        view = array
    elif pa.types.is_boolean(array.type):
        view = array.cast(packed)
    else:
        view = array.view(packed)
    return np.ascontiguousarray(view.to_numpy(zero_copy_only=False))
