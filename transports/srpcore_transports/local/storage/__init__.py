"""What is stored: the state of one server."""
