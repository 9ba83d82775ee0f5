"""The terminal's side: hands in batches, brings in sales of the past, and plays outlets for trial and demonstration."""
