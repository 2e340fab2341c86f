"""What a run says of itself: the report, its counts, its progress, and what to do next."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from aegis_async import AegisClient
from aegis_async.errors import ExportError
from aegis_async.export import ExportReport, ListingEvidence, Progress, export, next_steps, read_report
from aegis_async.sandbox import Sandbox
from tests.export.folders import parts, state


async def test_the_report_is_what_the_file_says(client: AegisClient, tmp_path: Path) -> None:
    """`_report.json` has exactly the fields and values of what the call gives."""
    report = await export(client, tmp_path)

    said = msgspec.json.decode((tmp_path / "_report.json").read_bytes())
    assert [field.name for field in msgspec.structs.fields(ExportReport)] == list(said)
    assert report == read_report(tmp_path)


async def test_the_report_counts_the_files(client: AegisClient, tmp_path: Path) -> None:
    """Files and bytes are those of the commit, and those of the disk."""
    report = await export(client, tmp_path)

    held = list(state(tmp_path).parts())
    assert {part.path for part in held} == parts(tmp_path)
    assert (len(held), sum(part.bytes for part in held)) == (report.files, report.bytes)
    assert report.bytes == sum((tmp_path / path).stat().st_size for path in parts(tmp_path))


async def test_the_listing_tells_that_it_was_complete(client: AegisClient, tmp_path: Path) -> None:
    """What the pages said of their number is in the report."""
    report = await export(client, tmp_path)

    assert (
        ListingEvidence(
            pages=1,
            items=6,
            repeats=0,
            total_first=6,
            total_last=6,
            sweeps=1,
            evidence="snapshot",
            unreadable=0,
            complete=True,
            reason=report.listing.reason if report.listing else "",
        )
        == report.listing
    )


async def test_progress_is_told_after_each_collection(client: AegisClient, tmp_path: Path) -> None:
    """The last word of the progress agrees with the report."""
    seen: list[Progress] = []

    report = await export(client, tmp_path, progress=seen.append)

    assert [1, 2, 3, 4, 5, 6] == [step.done for step in seen]
    assert Progress(6, 6, sum(report.rows.values()), report.fetched_bytes, 0) == seen[-1]


async def test_the_last_word_counts_what_has_not_changed(client: AegisClient, at_rest: int, tmp_path: Path) -> None:
    """A rerun that has nothing to fetch tells at its end that everything is dealt with."""
    await export(client, tmp_path)
    seen: list[Progress] = []

    await export(client, tmp_path, progress=seen.append)

    assert [Progress(done=at_rest, total=at_rest, unchanged=at_rest)] == seen


async def test_a_progress_that_fails_ends_the_export(client: AegisClient, tmp_path: Path) -> None:
    """An error of the caller's own is passed on, and told in the report."""

    def progress(_: Progress) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await export(client, tmp_path, progress=progress)

    report = read_report(tmp_path)
    assert ("failed", "LookupError; what was fetched until then is kept") == (report.status, report.reason)


async def test_costs_that_do_not_fit_are_counted(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, document: Callable[..., dict[str, Any]]
) -> None:
    """The report says how many costs only the text column holds."""
    body = msgspec.json.encode(document(4, evaluations=3)).replace(b'"0.00120"', b'"1E-30"', 2)
    sandbox.fail("/data-collections/4", body=body)

    report = await export(client, tmp_path, ids=[4])

    found = duckdb.execute(
        f"SELECT evaluation_cost, evaluation_cost_text FROM '{tmp_path}/evaluations/*.parquet' ORDER BY id"  # noqa: S608 - paths of ours
    ).fetchall()
    assert 2 == report.costs_as_text
    assert [(None, "1E-30"), (None, "1E-30"), ("0.00120", "0.00120")] == [
        (cost if cost is None else str(cost)[:7], text) for cost, text in found
    ]


@pytest.mark.parametrize("name", ["out", "it's", "a[b]*?", "model_slug=mine"])
async def test_the_next_steps_work_when_pasted(client: AegisClient, tmp_path: Path, name: str) -> None:
    """The query gives a row for each model, whatever the folder is called."""
    out = tmp_path / name
    await export(client, out)

    found = duckdb.execute(next_steps(out)).fetchall()

    collections = [full async for full in client.data_collections.get_many(range(1, 7))]
    ended = [run for full in collections for run in full.runs if run.finished_at]
    assert Counter(run.model_slug for run in ended) == {model: count for model, count, _, _ in found}


@pytest.mark.parametrize("text", ["{}", '{"x": ' + "[" * 100_000], ids=["little", "deep"])
def test_a_report_of_another_version_is_refused(tmp_path: Path, text: str) -> None:
    """What this version cannot read is one sentence, and so is no report at all."""
    with pytest.raises(ExportError, match=r"_report\.json: No such file or directory$"):
        read_report(tmp_path)
    (tmp_path / "_report.json").write_text(text)

    with pytest.raises(ExportError, match="is no report that this version of aegis_async reads: "):
        read_report(tmp_path)
