"""What a test needs of the system and does not find."""

import os
from typing import NoReturn

import pytest

__all__ = ["missing"]


def missing(what: str, packages: str) -> NoReturn:
    """Skip the test, with what to install; in CI, where everything is to be checked, fail it."""
    reason = f"needs {what}: apt-get install {packages}"
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)
