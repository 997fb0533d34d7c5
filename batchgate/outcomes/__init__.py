"""A run for machines: report.json, metrics, a summary in Markdown, and what is new in it."""
