"""Let requests in by their tokens: thin helpers around the verifiers, one module for each framework.

Each module imports its own framework and no other; nothing here is loaded by ``import srpcore``. What they share is in
:mod:`~srpcore.frameworks.bearer`: how a token is taken out of a request, and what a failure means over HTTP.
"""
