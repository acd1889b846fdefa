"""Django wants its settings before anything of it is imported."""

from . import sites as sites
