"""The cryptography: pure, with no I/O and no third-party dependency.

:mod:`.srp` is generic SRP-6a, :mod:`.cognito` and :mod:`.device` the service's dialect, both sides of each;
:mod:`.modexp` is the one place where a secret exponent is used, :mod:`.encoding` the one place where integers and
texts become bytes.
"""
