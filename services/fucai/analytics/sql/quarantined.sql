-- What stands in quarantine now: see the view, which has the ledger's rule.
SELECT count() AS entries FROM open_quarantine
