"""The local pools over HTTP: sockets, requests, signatures, the page, and the control endpoint for tests."""
