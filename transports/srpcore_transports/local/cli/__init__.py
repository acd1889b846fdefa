"""The commands of the local pool: ``srpcore serve``, ``srpcore demo`` and ``srpcore pool``."""
