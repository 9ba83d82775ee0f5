"""Answers questions about sales and channel scale: the one owner of every figure (docs/definitions.md)."""
