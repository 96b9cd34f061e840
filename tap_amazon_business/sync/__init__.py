"""Order and extent of reading: windows, lookback, checksums, bookmark. No HTTP here."""
