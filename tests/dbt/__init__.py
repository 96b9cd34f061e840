"""The models of dbt/ by themselves; tests/warehouses runs them behind real loaders."""
