"""Django wants its settings before anything of it is imported."""

from support import sites as sites
