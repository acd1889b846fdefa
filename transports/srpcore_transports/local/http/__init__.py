"""The local pools over HTTP: the server, the dispatch of operations, and the check of signatures."""
