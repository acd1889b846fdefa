"""The operations. Each module has the operations on one subject; its OPERATIONS maps their names to functions.

``table.py`` collects them, and ``dispatch.py`` calls them. What several operations need for a login is in the package
``auth``. ``stored.py`` names the operations and settings without effect. ``defaults.py``, ``first_pool.py`` and
``seed.py`` make pools, app clients and users without a request.
"""
