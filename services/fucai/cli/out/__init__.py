"""How an answer leaves the command line: one `Sheet` of exact values, and a writer for each format."""
