"""The shipped instruments: one folder each, an XLSForm as CSV sheets and an `index` sheet. Data, no code."""
