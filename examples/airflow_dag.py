"""A nightly export as an Airflow DAG: a task that may be killed and retried, and a check after it."""

import asyncio
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task

OUT = "/var/lib/aegis/export"


@dag(schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)
def aegis_export() -> None:
    """Export the account of AEGIS_API_KEY every night."""

    @task(retries=3, retry_delay=timedelta(minutes=10))
    def fetch(out: str) -> str:
        from aegis_async import AegisClient  # noqa: PLC0415 - not when the scheduler reads this file
        from aegis_async.export import export  # noqa: PLC0415 - likewise

        async def run() -> str:
            async with AegisClient() as client:
                report = await export(client, out)
            print(report.status, dict(report.rows))
            return report.status

        status = asyncio.run(run())
        if status != "complete":
            raise RuntimeError(f"the export is {status}: see {out}/_report.json")
        return out

    @task
    def check(out: str) -> None:
        from aegis_async.export import verify  # noqa: PLC0415 - likewise

        faults = verify(out)
        if faults:
            raise RuntimeError("\n".join(faults))

    check(fetch(OUT))


exported = aegis_export()
