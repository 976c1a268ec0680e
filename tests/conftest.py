"""Fixtures that every folder may use; the real servers are started by the modules named here."""

pytest_plugins: list[str] = []
