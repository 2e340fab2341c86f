"""Questions to ask of a finished export."""

import glob
from os import PathLike

from aegis_async.export._stores import local_folder, place_in

__all__ = ["next_steps"]


def next_steps(out: str | PathLike[str]) -> str:
    """Give a DuckDB query that works when pasted: how often each model's runs pass, over all collections."""
    runs = place_in(out, "runs")
    pattern = f"{glob.escape(runs) if local_folder(out) else runs}/*.parquet".replace("'", "''")
    # DuckDB takes a folder as model_slug=mine for a column of that name, whatever the files hold.
    files = f"read_parquet('{pattern}', hive_partitioning = false)" if "=" in pattern else f"'{pattern}'"
    return f"""\
SELECT model_slug, count(*) AS runs, round(avg(result), 1) AS mean_result,
       round(100 * avg(is_gte_threshold::INT), 1) AS pass_percent
FROM {files}
WHERE finished_at IS NOT NULL
GROUP BY model_slug
ORDER BY pass_percent DESC NULLS LAST, model_slug;"""  # noqa: S608 - its one value is quoted above
