"""Wiring only: the plugin is installed, pytester is for the plugin's own tests."""

pytest_plugins = ["pytester"]
