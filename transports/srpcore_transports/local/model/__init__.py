"""The records of the local pools, and the rules that need nothing but data."""
