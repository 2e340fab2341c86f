"""Every check of the project; `.ci/run` runs those that `nox` does by itself, `nox -s NAME` one of them."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import nox
from nox.command import CommandFailed

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
OLDEST = PYTHONS[0]
# What the design wants proven to the last branch.
CORE = "aegis_async/_decode/*,aegis_async/_retry.py,aegis_async/_pagination/*,aegis_async/_fanout/*"

nox.options.default_venv_backend = "uv|virtualenv"  # uv installs a session in seconds, where it is there
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = [
    "lint",
    "types",
    "layers",
    "coverage",
    "tests",
    "lowest",
    "services",
    "browser",
    "ray",
    "spark",
    "soak",
    "outage",
    "docs",
    "guides",
    "package",
    "demo",
]


def core_tests() -> list[str]:
    """Give the tests of the core, and of what is a thin layer over it."""
    layers = ("fanout", "client", "body", "large", "deadline", "leaving")
    files = (str(file) for name in layers for file in Path("tests").glob(f"test_*{name}*.py"))
    return ["tests/decode", "tests/pagination", "tests/session", "tests/test_retry.py", *sorted({*files})]


def group(*names: str) -> list[str]:
    return list(nox.project.dependency_groups(PROJECT, *names))


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    # PySpark has the base class of a public one, without which pyright cannot tell its type.
    session.install(".[all,spark]", *group("types", "test", "docs", "browser"))
    session.run("mypy")
    # The installed copy, from elsewhere: the checkout itself is no typed package to pyright.
    with session.chdir(session.create_tmp()):
        session.run("pyright", "--ignoreexternal", "--verifytypes", "aegis_async")


@nox.session(python=OLDEST)
def layers(session: nox.Session) -> None:
    session.install("-e", ".[all]", *group("layers"))
    session.run("lint-imports")


@nox.session(python=OLDEST)
def coverage(session: nox.Session) -> None:
    """Hold the core to its last branch by the tests that are about it; `-- tests` takes all."""
    session.install("-e", ".[all]", *group("test"), "pytest-cov>=6")
    session.run("python", "-m", "pytest", "--cov", "--cov-report=", *(session.posargs or core_tests()))
    session.run("coverage", "report", "--fail-under=100", f"--include={CORE}")


@nox.session(python=PYTHONS[1:])
def tests(session: nox.Session) -> None:
    session.install("-e", ".[all]", *group("test"))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    constraints = Path(session.create_tmp()) / "lowest.txt"
    extras = PROJECT["project"]["optional-dependencies"]
    optional = {line for name, extra in extras.items() if name not in {"all", "ray", "spark"} for line in extra}
    # The SDK goes with its API.
    wanted = [*PROJECT["project"]["dependencies"], *sorted(optional), "opentelemetry-sdk>=1.30"]
    constraints.write_text("\n".join(line.replace(">=", "==") for line in wanted), encoding="utf-8")
    session.install("-e", ".[all]", *group("test"), "--constraint", str(constraints))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=OLDEST)
def services(session: nox.Session) -> None:
    """Run the tests that need a service of the system's packages; `.ci/run` installs those."""
    session.install("-e", ".[all]", *group("test"))
    session.run("python", "-m", "pytest", "-n", "0", "-m", "service and not kill", *session.posargs)


@nox.session(python=OLDEST)
def kill(session: nox.Session) -> None:
    """Kill exports at hundreds of points; AEGIS_KILL_POINTS says how many for each format and mode."""
    session.install("-e", ".[all]", *group("test"))
    session.run("python", "-m", "pytest", "-n", "0", "-m", "kill", "tests/export/test_export_kill.py", *session.posargs)


@nox.session(python=OLDEST)
def examples(session: nox.Session) -> None:
    """Run the examples with what they are for, which is much to install."""
    session.install("-e", ".[export]", "dagster", "apache-airflow", *group("test"))
    session.run("python", "-m", "pytest", "tests/export/test_export_examples.py", *session.posargs)


@nox.session(python=OLDEST)
def browser(session: nox.Session) -> None:
    """Drive the dashboard's page with the Chromium of the system; its pictures are left in `build/screenshots`."""
    session.install("-e", ".[all]", *group("test", "browser"))
    session.run("python", "-m", "pytest", "-n", "0", "-m", "browser", "tests/dashboard", *session.posargs)


@nox.session(python=OLDEST)
def ray(session: nox.Session) -> None:
    """Export with workers on a Ray of this machine, and let a worker, a node and a driver die."""
    session.install("-e", ".[export,ray]", *group("test"))
    tests = ("tests/ray", "tests/test_docs_blocks.py")
    tried_twice(session, "-m", "ray and not kill and not long", *tests, *session.posargs)


@nox.session(name="ray-long", python=OLDEST)
def ray_long(session: nox.Session) -> None:
    """Let many of them die, AEGIS_KILL_POINTS says how many drivers, and tell each story in its longer forms too."""
    session.install("-e", ".[export,ray]", *group("test"))
    session.run("python", "-m", "pytest", "-n", "0", "-m", "ray", "tests/ray", *session.posargs)


@nox.session(python=OLDEST)
def spark(session: nox.Session) -> None:
    """Read the sandbox's account with a local Spark; it needs Java 17."""
    session.install("-e", ".[spark]", *group("test"))
    tried_twice(session, "-m", "spark", "tests/spark", "tests/test_docs_blocks.py", *session.posargs)


@nox.session(name="spark-lowest", python=OLDEST)
def spark_lowest(session: nox.Session) -> None:
    """Read with the lowest PySpark that the extra allows, whose own sockets that stay open are no errors here."""
    (spark,) = (line for line in PROJECT["project"]["optional-dependencies"]["spark"] if line.startswith("pyspark"))
    session.install("-e", ".[spark]", *group("test"), spark.replace(">=", "=="))
    warnings = ("-W", "default::ResourceWarning", "-W", "default::pytest.PytestUnraisableExceptionWarning")
    tests = ("tests/spark/test_spark_reading.py", "tests/test_docs_blocks.py")
    tried_twice(session, *warnings, "-m", "spark", *tests, *session.posargs)


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    session.install("-e", ".[all]", *group("docs", "test"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")
    session.run("python", "-m", "pytest", "-m", "build and not (ray or spark)", "tests", *session.posargs)


@nox.session(python=OLDEST)
def guides(session: nox.Session) -> None:
    """Follow each guide word for word in an empty folder; pip takes our wheel where they ask the index for it."""
    session.install(*group("package"))
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "-q", "--wheel", "--outdir", str(folder / "dist"))
    wheel = next((folder / "dist").glob("*.whl"))
    for guide in sorted(Path("docs/guides").glob("*.md")):
        with TemporaryDirectory() as empty:  # elsewhere: pytest would find this project's settings
            session.run("python", "-m", "docs.follow", str(guide), empty, str(wheel))


@nox.session(python=OLDEST)
def package(session: nox.Session) -> None:
    """Build sdist and wheel, twice the same bytes; use the wheel where nothing else is; list what it brings."""
    session.install(*group("package"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "-q")
    rebuilt(session)
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    wheel = next(Path("dist").glob("*.whl")).resolve()
    names = ZipFile(wheel).namelist()
    if "aegis_async/py.typed" not in names or any(not name.startswith("aegis_async") for name in names):
        session.error(f"the wheel holds too little or too much: {names}")
    clean = Path(session.create_tmp()).resolve() / "clean"
    shutil.rmtree(clean, ignore_errors=True)
    session.run("python", "-m", "venv", str(clean))
    python = clean / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    session.run(str(python), "-m", "pip", "install", "-q", str(wheel), external=True)
    Path("build").mkdir(exist_ok=True)
    bom = ("--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "-o", "build/sbom.cdx.json")
    session.run("cyclonedx-py", "environment", str(python), *bom)  # checks it against its schema too
    with session.chdir(clean):
        run = (str(python), "-m", "aegis_async")
        session.run(*run, "--version", external=True)
        refused = session.run(
            *run, "export", "without-extra", "--sandbox", success_codes=[1], external=True, silent=True
        )
        if 'pip install "aegis-async[export]"' not in str(refused):
            session.error(f"without the extra it does not say what to install: {refused}")
        session.run(str(python), "-m", "pip", "install", "-q", f"{wheel}[export]", external=True)
        session.run(*run, "export", "with-extra", "--sandbox", "--sandbox-collections", "5", external=True)
        session.run(str(python), "-m", "pip", "install", "-q", f"{wheel}[dashboard]", external=True)
        session.run(*run, "report", "with-extra", external=True)


def rebuilt(session: nox.Session) -> None:
    """Build again from a copy in another folder, and compare byte for byte."""
    copy = Path(session.create_tmp()).resolve() / "another"
    shutil.rmtree(copy, ignore_errors=True)
    session.run("git", "clone", "-q", ".", str(copy), external=True)
    with session.chdir(copy):
        session.run("python", "-m", "build", "-q")
    for built in Path("dist").iterdir():
        if built.read_bytes() != (copy / "dist" / built.name).read_bytes():
            session.error(f"two builds of one commit differ (is everything committed?): {built.name}")


@nox.session(python=OLDEST)
def audit(session: nox.Session) -> None:
    """Ask PyPI for known weaknesses of what the package brings; needs the network, so not among the default ones."""
    session.install(".[all]", *group("audit"))
    session.run("pip-audit", "--local", *session.posargs)


@nox.session(python=False)
def demo(session: nox.Session) -> None:
    """Run the README's first command as it stands."""
    command = readme_command("demo")
    clone = Path(session.create_tmp()).resolve() / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    session.run("git", "clone", "-q", ".", str(clone), external=True)
    with session.chdir(clone):
        session.run("bash", "-c", command, external=True)


@nox.session(python=[OLDEST, PYTHONS[-1]])
def bench(session: nox.Session) -> None:
    """Measure beside other clients: half an hour, or `-- --quick`; `python -m benchmarks.pages` tells the docs."""
    session.install("-e", ".[export,speed]", *group("bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(python=OLDEST)
def soak(session: nox.Session) -> None:
    """Let fifty callers call a service that fails often, then meet an outage; `-- --requests 200` is the whole."""
    session.install("-e", ".")
    session.run("python", "-W", "error", "-m", "benchmarks.soak", *(session.posargs or ("--requests", "40")))
    session.run("python", "-W", "error", "-m", "benchmarks.quick_faults", "--short")


@nox.session(python=OLDEST)
def outage(session: nox.Session) -> None:
    """Kill the service for some seconds while `wrk`, of the system's packages, asks the dashboard."""
    session.install("-e", ".[dashboard]")
    session.run("python", "-W", "error", "-m", "benchmarks.outage", "--short", *session.posargs)


def readme_command(name: str) -> str:
    """Give the line of the README that follows its marker, so that the two cannot drift."""
    lines = Path("README.md").read_text(encoding="utf-8").splitlines()
    return lines[lines.index(f"<!-- command: {name} -->") + 2]


def tried_twice(session: nox.Session, *given: str) -> None:
    """Run tests of a cluster, whose processes two cores begin late now and then: what fails may try once more."""
    run = ("python", "-m", "pytest", "-n", "0", *given)
    try:
        session.run(*run)
    except CommandFailed:
        session.warn("what failed is tried once more")
        session.run(*run, "--last-failed")
