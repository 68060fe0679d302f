"""The contract of object stores as tests: subclass it for a destination of your own, and run it by pytest.

    class TestMyStore(ObjectStoreContract):
        @pytest.fixture
        def place(self, tmp_path):
            return Place(lambda prefix, target: MyDestination(MyConfig(bucket=..., prefix=prefix), target))

`place` opens your destination, a subclass of `ObjectStoreDestination`, in a bucket or folder that is empty before
each test. For readable failures, `pytest.register_assert_rewrite("bifrost_export.testing")` belongs into `conftest.py`.
"""

from __future__ import annotations

import pytest

from bifrost_export.testing.object_store_commits import Commits
from bifrost_export.testing.object_store_crashes import Crashes
from bifrost_export.testing.object_store_files import Files
from bifrost_export.testing.object_store_runs import Place
from bifrost_export.testing.object_store_sources import Sources
from bifrost_export.testing.object_store_strangers import Strangers

__all__ = ["ObjectStoreContract", "Place"]


class ObjectStoreContract(Commits, Sources, Files, Strangers, Crashes):
    """What a destination on an object store promises, whichever store it is."""

    @pytest.fixture
    def place(self) -> Place:
        """An empty bucket or folder; a subclass says which."""
        raise TypeError(f"{type(self).__name__} has to bring the fixture `place`")

    @pytest.fixture(params=[1, 3, 250], ids=lambda number: f"{number}-parts")
    def parts(self, request: pytest.FixtureRequest) -> int:
        """How many parts a window has; a subclass may ask for fewer."""
        number: int = request.param
        return number
