"""The completeness ledger: which events are stored, quarantined, waived or missing, and the desk for quarantine."""
