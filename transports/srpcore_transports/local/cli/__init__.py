"""The commands of the local pool: ``srpcore serve`` and ``srpcore demo``."""
