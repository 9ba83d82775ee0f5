"""Publishes channel scale and growth to Prometheus, from the last answer of analytics. Computes no figure itself."""
