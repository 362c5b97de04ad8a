"""An offline survey system for citizen-satisfaction indices: what a field laptop carries."""
