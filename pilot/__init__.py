"""Finds every container's logs on a node and configures a collector for them."""
