"""The same export by dlt's REST source, for comparison; it needs ``pip install "dlt[parquet]"``."""

import os
from pathlib import Path

__all__ = ["run"]


def run(url: str, out: Path) -> None:
    """List, fetch each collection, and write Parquet files under ``out``.

    Args:
        url: The server.
        out: A folder; dlt keeps its own state there too.
    """
    os.environ |= {"DLT_DATA_DIR": str(out / "state"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    import dlt  # noqa: PLC0415 - it reads its settings when it is imported
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415 - as above

    paged = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": "meta.total_pages"}
    listed = {"path": "data-collections", "params": {"page_size": 100}, "data_selector": "items", "paginator": paged}
    full = {"path": "data-collections/{resources.listed.id}", "data_selector": "$", "paginator": "single_page"}
    resources = [{"name": "listed", "endpoint": listed}, {"name": "collections", "endpoint": full}]
    source = rest_api_source({"client": {"base_url": url}, "resources": resources})
    source.resources["listed"].selected = False
    files = dlt.destinations.filesystem(bucket_url=f"file://{out}/tables")
    pipeline = dlt.pipeline("aegis", destination=files, dataset_name="export", pipelines_dir=str(out / "work"))
    pipeline.run(source, loader_file_format="parquet")
