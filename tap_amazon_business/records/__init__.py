"""From Amazon's rows to records: decoding, then fast_path, then shaping for what is odd."""
