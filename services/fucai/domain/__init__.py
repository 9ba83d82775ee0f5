"""Pure rules of the channel: no I/O, time and randomness passed in."""
