"""Sales of lottery outlets, collected exactly once, and how the channel grows, provably."""
