"""The version of bayeszoo."""

VERSION = "0.1.0"
