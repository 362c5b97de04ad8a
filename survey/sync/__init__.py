"""Exchange between stores: bundles, receipts, keys. The same union whether by stick, folder or another store's file."""
