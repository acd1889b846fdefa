"""Conformance: probes of a server of user pools, each a short story of requests with the expected shape of the answers.

Theory of operation::

    subjects/*.py ──probe──►  runner  ──story──►  Stage  ──call──►  Target  ──►  local pool, ministack or AWS
                                │                   │                  │
                                │                   │                  └── recording.py: what was asked and answered, redacted
                                │                   └── pools, app clients, users; deletes its pools at the end
                                └── differences.py: the probes that are expected to fail

A probe is a function that gets a :class:`~conformance.stage.Stage`. It fails with an ``AssertionError``. Its source is
AWS's documentation, a captured answer or a public report; a probe whose source is :data:`~conformance.probes.UNSURE`
accepts each form that is known, and has a question that a recording of the real service answers.

A source states the behaviour. It does not always quote the message: a text that no source quotes is the one that clients and
other emulators know, and only a recording of the real service can confirm it.

``make conformance`` prints the table. ``python -m conformance --help`` (in tests/) lists the targets.
"""
