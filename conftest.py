"""Wiring only: pytester for the plugin's own tests, and both cores for a bare `pytest`."""

import pytest

pytest_plugins = ["pytester"]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run everything on two workers; whatever was narrowed by an argument runs in one process."""
    alone = bool(config.invocation_params.args) or hasattr(config, "workerinput")
    if config.pluginmanager.hasplugin("xdist") and not alone:
        config.option.numprocesses = 2
