"""Collections and pages as somebody may write them: bent, of an older revision, damaged or cut."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.decode.documents import collection, listing, old_revision

__all__ = ["collections", "pages", "written"]

free_form = st.dictionaries(
    st.text(max_size=3),  # too short for a field of the service's own
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


@st.composite
def collections(draw: st.DrawFn) -> Any:
    """A collection with some datasets, runs and evaluations, each perhaps bent or of an older revision."""
    document = collection()
    run, dataset = document["runs"][0], document["datasets"][0]
    evaluation = run["evaluations"][0]
    document["datasets"] = [dataset | {"id": i} for i in range(draw(st.integers(0, 4)))]
    document["runs"] = [
        bent(
            draw,
            run
            | {
                "id": r,
                "evaluations": [
                    bent(draw, evaluation | {"id": e, "explanation": draw(st.text()), "eval_metadata": draw(free_form)})
                    for e in range(draw(st.integers(0, 7)))
                ],
            },
        )
        for r in range(draw(st.integers(0, 5)))
    ]
    return shuffled(draw, document)


@st.composite
def pages(draw: st.DrawFn) -> Any:
    """A page with many items, each with some runs, each item perhaps bent or of an older revision."""
    document = listing()
    item = document["items"][0]
    run = item["runs"][0]
    document["items"] = [
        bent(draw, item | {"id": i, "runs": [run | {"id": r} for r in range(draw(st.integers(0, 3)))]})
        for i in range(draw(st.integers(0, 20)))
    ]
    return shuffled(draw, document)


def shuffled(draw: st.DrawFn, node: Any) -> Any:
    """Give a document with its fields in another order now and then."""
    if not draw(st.booleans()):
        return node
    return {name: node[name] for name in draw(st.permutations(list(node)))}


def bent(draw: st.DrawFn, node: dict[str, Any]) -> dict[str, Any]:
    """Give a record as it is, or as no revision, an older one or a hostile one has it."""
    hostile: list[dict[str, Any]] = [
        node | {"threshold": "70"},
        {name: value for name, value in node.items() if name != "id"},
        old_revision(node),
        old_revision(node),
        {"unknown": {"deep": [[{}], "},{"]}} | node,
    ]
    if "evaluations" in node:
        hostile.append(node | {"evaluations": draw(st.sampled_from([None, {}, [None], 7, [[]]]))})
    else:
        hostile.append(node | {"evaluation_cost": draw(st.sampled_from(["1.5", 0.25, 7]))})
    return draw(st.sampled_from(hostile)) if draw(st.integers(0, 5)) == 0 else node


@st.composite
def written(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """The bytes of a document: with or without blanks and escapes, perhaps broken off or damaged."""
    document = draw(documents)
    body = json.dumps(
        document,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1])),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,\n", "\t:\r")])),
    ).encode()
    kind = draw(st.integers(0, 9))
    place = draw(st.integers(0, len(body)))
    if kind == 0:
        return body[:place]
    if kind == 1:
        return body[:place] + draw(st.sampled_from([b"}", b"]", b",", b'"', b"\\", b"[", b"{", b"x"])) + body[place:]
    if kind == 2:
        return body + draw(st.sampled_from([b" ", b"\n\n", b"x", b"{}", b","]))
    return body
