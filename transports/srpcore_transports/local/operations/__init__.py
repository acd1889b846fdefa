"""The operations on user pools, app clients, users and groups."""
