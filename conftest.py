"""Wiring only: pytester for the plugin's own tests, and all cores for a bare `pytest`."""

import pytest

pytest_plugins = ["pytester"]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run everything on three workers; whatever was narrowed by an argument runs in one process."""
    alone = bool(config.invocation_params.args) or hasattr(config, "workerinput")
    if config.pluginmanager.hasplugin("xdist") and not alone:
        config.option.numprocesses, config.option.dist = 3, "worksteal"
