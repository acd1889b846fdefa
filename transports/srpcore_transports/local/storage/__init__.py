"""What is stored, in SQLite.

``service.py`` is what all requests share, and ``state.py`` what one request sees: its tables, which are in the other
modules. ``work.py`` reads records, notices their changes and writes them; ``database.py`` is the connection.
``directory.py``, ``pages.py`` and ``export.py`` are helpers above the tables.
"""
