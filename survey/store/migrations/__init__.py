"""The schema, as numbered steps that are each applied once, in a transaction, and never edited afterwards.

Imported only when a store is made or upgraded: sqlite-utils loads pandas where it finds it, and a field laptop's
start-up must not pay for that.

Evidence (``feeds``, ``revisions``, ``parts``, ``device_keys``, ``receipts``, ``quarantine``) came from someone and
cannot be computed. Derived tables (``interviews``, ``documents``, ``feed_state``, ``erased``, ``missing``) follow from
the evidence by :mod:`survey.store.fold` and can be thrown away. The rest belongs to this device alone.

The modules are imported, and their steps applied, in the order of their names.
"""

from survey.store.migrations import m001, m002_m011, m012_on
from survey.store.migrations.registry import migrations

__all__ = ["m001", "m002_m011", "m012_on", "migrations"]
