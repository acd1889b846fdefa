"""The operations. A module has those on one subject, and their names in its OPERATIONS.

``table.py`` collects them, and ``dispatch.py`` calls them. What several operations need for a login is in the package
``auth``.
"""
