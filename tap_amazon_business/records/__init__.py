"""From Amazon's rows to records: lazy_rows, then fast_path, then shaping for what is odd."""
