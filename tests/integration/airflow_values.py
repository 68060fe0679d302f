"""The warehouses of a running Airflow's exports, as they are asked beside it: by SQL, and for the types of columns."""

from __future__ import annotations

from contextlib import closing

import adbc_driver_postgresql.dbapi as postgresql
import pyarrow as pa

from tests.integration.same_values import Warehouse, in_redshift
from tests.servers.bigquery.server import PROJECT, BigQuery
from tests.servers.redshift.server import Redshift

IN_REDSHIFT = {
    "timestamp": "timestamp with time zone",
    "string": "character varying",
    "int32": "integer",
    "int64": "bigint",
    "double": "double precision",
    "bool": "boolean",
    "date": "date",
}
IN_BIGQUERY = {
    "timestamp": "TIMESTAMP",
    "string": "STRING",
    "int32": "INTEGER",
    "int64": "INTEGER",
    "double": "FLOAT",
    "bool": "BOOLEAN",
    "date": "DATE",
}


def redshift_of(server: Redshift) -> Warehouse:
    """A database of the stand-in for Redshift, asked as the PostgreSQL that it is."""

    def rows(table: str) -> pa.Table:
        address = server.postgres.url(server.database)
        with closing(postgresql.connect(address)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f'SELECT * FROM public."{table}"')
            return cursor.fetch_arrow_table()

    def types(table: str) -> dict[str, str]:
        sql = (
            "SELECT column_name::text, data_type::text FROM information_schema.columns"
            f" WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        )
        address = server.postgres.url(server.database)
        with closing(postgresql.connect(address)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            return dict(cursor.fetchall())

    return Warehouse("redshift", rows, types, IN_REDSHIFT, in_redshift)


def bigquery_of(server: BigQuery) -> Warehouse:
    """A dataset of the stand-in for BigQuery, asked as the DuckDB that holds its rows."""
    catalog = server.api.service.catalog
    instants = {pa.timestamp("us"): pa.timestamp("us", "UTC")}  # DuckDB has BigQuery's TIMESTAMP without a zone, in UTC

    def rows(table: str) -> pa.Table:
        with closing(catalog.database.cursor()) as cursor:
            found = cursor.sql(f'SELECT * FROM "{PROJECT}:{server.dataset}"."{table}"').to_arrow_table()
        return found.cast(pa.schema([each.with_type(instants.get(each.type, each.type)) for each in found.schema]))

    def types(table: str) -> dict[str, str]:
        fields = catalog.tables[PROJECT, server.dataset, table]["schema"]["fields"]
        return {each["name"]: each["type"] for each in fields}

    return Warehouse("bigquery", rows, types, IN_BIGQUERY)
