"""The package's version; a test holds it against the package's metadata."""

__version__ = "0.1.0"
