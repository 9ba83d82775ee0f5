-- What the store was created with; outlet_history is asked too, since every grouped answer needs it.
SELECT name, value FROM store_settings WHERE dictGetOrDefault('outlet_history', 'name', tuple(''), toDate(0), '') = ''
