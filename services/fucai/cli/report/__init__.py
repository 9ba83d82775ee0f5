"""The channel bulletin (渠道简报): a page to print and keep, made of answers of analytics."""
