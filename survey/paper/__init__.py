"""Questionnaires on paper: the printed form, its serial numbers, and conditions and skips in words."""
