"""An export as a Dagster asset, with its counts as metadata."""

import asyncio

from dagster import Config, Definitions, MaterializeResult, asset

from aegis_async import AegisClient
from aegis_async.export import export


class ExportConfig(Config):
    """Where to."""

    out: str = "aegis-export"


@asset
def aegis_account(config: ExportConfig) -> MaterializeResult:
    """Every collection of the account of AEGIS_API_KEY, as Parquet."""

    async def run() -> MaterializeResult:
        async with AegisClient() as client:
            report = await export(client, config.out)
        if report.status != "complete":
            raise RuntimeError(f"the export is {report.status}: {report.reason}")
        return MaterializeResult(metadata={**report.rows, "fetched": report.fetched})

    return asyncio.run(run())


definitions = Definitions(assets=[aegis_account])
