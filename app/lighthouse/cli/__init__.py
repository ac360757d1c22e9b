"""The `lighthouse` command: what a person types, and what scripts run with `--json`."""
