"""The registry service: the one writer of master data and of claims on history. Start at `__main__`."""
