"""Programs that mypy and pyright check, and none of which runs: what an application writes, and what is an error."""
