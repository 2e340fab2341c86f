"""What the system, an object store or a database refuses, as one sentence that names the place."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aegis_async.errors import ExportError

__all__ = ["code_of", "explained", "quoted", "told"]

_HINTS: Final = {
    errno.ENOSPC: "the disk is full; make room and run the export again",
    errno.EDQUOT: "the disk quota is used up; make room and run the export again",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
}
# By the names of the errors' classes: they are those of whichever library reaches the store.
_OBJECT_HINTS: Final = (
    (frozenset({"PermissionError"}), "access refused; check the credentials and what they may do"),
    (frozenset({"FileNotFoundError"}), "there is no such bucket or object"),
    (
        frozenset({"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"}),
        "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    ),
    (
        frozenset({"ConnectionError", "HTTPClientError", "ClientConnectionError", "TimeoutError", "FSTimeoutError"}),
        "the server does not answer; run the export again when it does",
    ),
)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one sentence that names the path.

    Raises:
        ExportError: The system refused something.
    """
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, error.strerror or str(error))
        raise ExportError(f"{path}: {hint}") from error


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what an object store refuses, or a failure on the way to it, into one sentence that names the place.

    Nothing of the error's own words is in it: they may hold more than the place.

    Raises:
        ExportError: It was refused, or failed.
    """
    try:
        yield
    except Exception as error:
        raise ExportError(f"{place}: {_reason(error)}") from error


@contextmanager
def quoted(place: str, *kinds: type[Exception], secret: str | None = None) -> Iterator[None]:
    """Turn what a database complains of into one line: the place, and the database's own words without a secret.

    Its error is not the cause of ours, which would show those words again.

    Raises:
        ExportError: It complained.
    """
    try:
        yield
    except kinds as error:
        complaint = " ".join(str(error).split())
    else:
        return
    raise ExportError(f"{place}: {complaint.replace(secret, '…') if secret else complaint}")


def code_of(error: BaseException) -> str | None:
    """Give the code that the server of an object store answered with, as ``"NoSuchBucket"``."""
    answer = getattr(error.__cause__, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return code if isinstance(code, str) else None


def _reason(error: Exception) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    hint = next((hint for names, hint in _OBJECT_HINTS if names & kinds), None)
    code = code_of(error)
    if hint is None:
        return f"the object store failed: {code or _system(error) or type(error).__name__}"
    return f"{hint} ({code})" if code else hint


def _system(error: Exception) -> str | None:
    return errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
