"""``python -m srpcore``."""

from .cli import main

raise SystemExit(main())
