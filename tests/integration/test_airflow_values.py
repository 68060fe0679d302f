"""All datasets of a log store of Bifrost's own make, through a running Airflow: the same values in every place.

S3's parts are read by pyarrow, the warehouses' tables by SQL, beside the product.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.logstore.columns import LOG_COLUMNS
from demo.servers.bigquery.api import Api
from demo.servers.google_auth import GoogleAuth
from demo.servers.postgres_server import PostgresServer
from demo.servers.s3_server import S3Server, s3_server
from tests.bifrost_stores import WINDOW, unpack
from tests.integration.airflow_site import NEVER, UNDER_POLICY, Site, running_site
from tests.integration.airflow_values import bigquery_of, redshift_of
from tests.integration.same_values import compare, published
from tests.integration.truth_runs import ALL, Comparison
from tests.servers.bigquery.server import BigQuery, bigquery_dataset
from tests.servers.buckets import Buckets
from tests.servers.redshift.server import Redshift, redshift_database

pytestmark = [pytest.mark.airflow, pytest.mark.long]

BUCKET = "bifrost-logs-of-the-site"


@pytest.fixture(scope="module")
def s3_of_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that no other test empties."""
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture(scope="module")
def redshift_of_site(
    s3_of_site: S3Server, postgres: PostgresServer, redshift_certificate: tuple[Path, Path]
) -> Iterator[Redshift]:
    """A database of this Airflow's own."""
    with redshift_database(postgres, Buckets(s3_of_site), redshift_certificate) as found:
        yield found


@pytest.fixture(scope="module")
def bigquery_of_site(bigquery_server: tuple[Api, GoogleAuth]) -> BigQuery:
    """A dataset of this Airflow's own."""
    return bigquery_dataset(*bigquery_server)


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    s3_of_site: S3Server,
    redshift_of_site: Redshift,
    bigquery_of_site: BigQuery,
) -> Iterator[Site]:
    """The running Airflow, with an export to each place."""
    folder = tmp_path_factory.mktemp("site")
    keys = {"access_key_id": s3_of_site.access_key_id, "secret_access_key": "${SITE_SECRET}"}
    to_bucket = {"bucket": BUCKET, "region": "us-west-2", "endpoint_url": s3_of_site.url, "prefix": "logs/"}
    places = {
        "s3": {**to_bucket, "credentials": keys},
        "redshift": redshift_of_site.config(),
        "bigquery": bigquery_of_site.config(),
    }
    store = unpack("current", folder)
    exports = [of_current(store, kind, config) for kind, config in places.items()]
    variables = {
        "SITE_SECRET": s3_of_site.secret_access_key,
        **redshift_of_site.connections(),
        **bigquery_of_site.environment,
    }
    with running_site(folder, {"files": exports}, variables) as running:
        yield running


def of_current(store: Path, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """An export of every column of all datasets out of the log store."""
    return {
        "name": f"to_{kind}",
        "schedule": NEVER,
        "source": {"type": "sqlite", "config": {"path": str(store)}},
        "destination": {"type": kind, "config": config},
        "data": {
            "include": list(ALL),
            "extra_fields": sorted(LOG_COLUMNS),
            "include_content": True,
            "max_rejected": 0,
        },
        **UNDER_POLICY,
    }


@pytest.mark.timeout(1_800)
def test_all_datasets_have_the_same_values_in_s3_and_in_the_warehouses(
    site: Site, s3_of_site: S3Server, redshift_of_site: Redshift, bigquery_of_site: BigQuery
) -> None:
    """Each column of each row, contents too; Redshift's texts have no NUL, and those of its longest are shortened."""
    site.wait_for("to_s3", "to_redshift", "to_bigquery")
    times = WINDOW.to_json()
    form = {"window_start": times["start"], "window_end": times["end"]}
    runs = {kind: site.lab.trigger(f"to_{kind}", **form) for kind in ("s3", "redshift", "bigquery")}
    for run in runs.values():
        assert run.wait(400) == "success", run.states()
    warehouses = (redshift_of(redshift_of_site), bigquery_of(bigquery_of_site))
    key = f"logs/_manifests/to_s3/{WINDOW.name}.json"
    datasets = list(published(s3_of_site.client(), BUCKET, key))
    assert {name for name, _, _ in datasets} == set(ALL)
    for warehouse in warehouses:
        books = runs[warehouse.name].xcom("publish")["datasets"]
        whole = Comparison()
        for name, types, rows in datasets:
            part = Comparison()
            counted = compare(part, name, types, rows, warehouse, f"to_{warehouse.name}", WINDOW)
            assert counted.rows == len(rows) == books[name]["exported"]
            print(f"\n{warehouse.name} {name}: {len(types)} columns, {counted}")  # noqa: T201 (for the report)
            part.agrees(f"{warehouse.name} {name}")
            whole.compared += part.compared
            whole.differing += part.differing
            assert counted.replaced + len(counted.shortened) == 0 or warehouse.name == "redshift"
        whole.agrees(f"S3 and {warehouse.name}")
