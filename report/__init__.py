"""Answers on one page: queries on the tables of `dbt/`, their results as charts and tables.

`python -m report --warehouse warehouse.duckdb --output report.html` makes the page.
"""
