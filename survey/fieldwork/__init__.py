"""Fieldwork without a store or a page: dispositions and outcome rates, sampling."""
