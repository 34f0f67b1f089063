"""The figures of docs/performance.md, measured on real daemons: `python -m tests.bench`."""
