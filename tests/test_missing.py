"""A service that is missing is told, and in CI it does not go unnoticed."""

import pytest

from tests.missing import missing


@pytest.mark.parametrize(("ci", "outcome"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)])
def test_what_is_missing_is_skipped_and_fails_in_ci(
    ci: bool, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either way the reason is the command to run."""
    monkeypatch.delenv("CI", raising=False)
    if ci:
        monkeypatch.setenv("CI", "true")

    with pytest.raises(outcome, match=r"^needs nginx: apt-get install nginx$"):
        missing("nginx", "nginx")
