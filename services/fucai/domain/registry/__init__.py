"""Rules of master data: what a record, a file of records and the registry as a whole must be. No I/O.

`tables` says what there is, `records` checks one record, `references` checks records against each other, `changes`
tells what storing them would change, `csvfile` and `columns` read them from CSV.
"""
